package io.evenkeel.kafka.config;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;

import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.config.ConfigDef;
import org.jspecify.annotations.Nullable;

/**
 * The two clients of Kafka, and the names that their settings have in
 * {@code spring.kafka}.
 */
public enum ClientKind {

	/**
	 * The consumer.
	 */
	CONSUMER("consumer", ConsumerConfig.configDef(), Map.ofEntries(
			Map.entry("auto.commit.interval.ms", "auto-commit-interval"),
			Map.entry("auto.offset.reset", "auto-offset-reset"), Map.entry("enable.auto.commit", "enable-auto-commit"),
			Map.entry("fetch.max.wait.ms", "fetch-max-wait"), Map.entry("fetch.min.bytes", "fetch-min-size"),
			Map.entry("group.id", "group-id"), Map.entry("heartbeat.interval.ms", "heartbeat-interval"),
			Map.entry("isolation.level", "isolation-level"), Map.entry("key.deserializer", "key-deserializer"),
			Map.entry("value.deserializer", "value-deserializer"), Map.entry("max.poll.records", "max-poll-records"),
			Map.entry("max.poll.interval.ms", "max-poll-interval"))),

	/**
	 * The producer.
	 */
	PRODUCER("producer", ProducerConfig.configDef(),
			Map.of("acks", "acks", "batch.size", "batch-size", "buffer.memory", "buffer-memory", "compression.type",
					"compression-type", "key.serializer", "key-serializer", "value.serializer", "value-serializer",
					"retries", "retries", "transactional.id", "transaction-id-prefix"));

	private static final Map<String, String> BOTH = Map.of("bootstrap.servers", "bootstrap-servers", "client.id",
			"client-id", "security.protocol", "security.protocol");

	private final String role;

	private final ConfigDef definition;

	private final Map<String, String> names;

	ClientKind(String role, ConfigDef definition, Map<String, String> names) {
		this.role = role;
		this.definition = definition;
		this.names = names;
	}

	String role() {
		return this.role;
	}

	ConfigDef definition() {
		return this.definition;
	}

	/**
	 * A setting of the client.
	 * @param key the name that Kafka gives it
	 * @param value its value, null when it is missing
	 * @param origin where to look in code when no property of {@code spring.kafka} has
	 * set it
	 * @return names the property, if one has set it
	 */
	public Setting setting(String key, @Nullable Object value, String origin) {
		List<String> spellings = new ArrayList<>();
		String own = "spring.kafka." + this.role;
		spelled(spellings, own + ".properties", key);
		String name = this.names.get(key);
		if (name != null) {
			spellings.add(own + "." + name);
		}
		String common = BOTH.get(key);
		if (common != null) {
			spellings.add(own + "." + common);
			spellings.add("spring.kafka." + common);
		}
		spelled(spellings, "spring.kafka.properties", key);
		ConfigDef.ConfigKey known = this.definition.configKeys().get(key);
		Object shown = (value != null && known != null && known.type == ConfigDef.Type.PASSWORD) ? Setting.HIDDEN
				: value;
		return Setting.of(key, shown, origin, spellings.toArray(String[]::new));
	}

	private static void spelled(List<String> spellings, String prefix, String key) {
		spellings.add(prefix + "." + key);
		spellings.add(prefix + "[" + key + "]");
	}

}
