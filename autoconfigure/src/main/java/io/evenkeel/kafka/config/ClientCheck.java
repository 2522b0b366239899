package io.evenkeel.kafka.config;

import java.util.HashMap;
import java.util.List;
import java.util.Map;

import org.apache.kafka.clients.CommonClientConfigs;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.config.AbstractConfig;
import org.apache.kafka.common.config.ConfigException;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.utils.Utils;

/**
 * Reads the configuration of a client as the client would, without making one: nothing is
 * connected to and no name is resolved.
 */
public final class ClientCheck {

	private static final int MOST_IN_FLIGHT = 5;

	private ClientCheck() {
	}

	/**
	 * Check what a consumer will be made with. Deserializers are not looked at: they may
	 * be given as objects.
	 * @param config the configuration
	 * @param owner whose consumer it is
	 * @throws InvalidSettingException when the client will refuse it
	 */
	public static void consumer(Map<String, Object> config, String owner) {
		Map<String, Object> own = new HashMap<>(config);
		own.put(ConsumerConfig.KEY_DESERIALIZER_CLASS_CONFIG, ByteArrayDeserializer.class);
		own.put(ConsumerConfig.VALUE_DESERIALIZER_CLASS_CONFIG, ByteArrayDeserializer.class);
		own.put(ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, "false");
		// Without one the client would count a number up.
		own.putIfAbsent(CommonClientConfigs.CLIENT_ID_CONFIG, "check");
		try {
			ParsedConsumer parsed = new ParsedConsumer(own);
			servers(parsed);
			// Classes or their names.
			List<?> assignors = parsed.getList(ConsumerConfig.PARTITION_ASSIGNMENT_STRATEGY_CONFIG);
			for (Object assignor : assignors) {
				if (assignor instanceof String name) {
					loaded(name);
				}
			}
		}
		catch (ConfigException ex) {
			throw ClientRefusal.explain(ClientKind.CONSUMER, ex, config, owner);
		}
	}

	/**
	 * Check what a producer will be made with.
	 * @param config the configuration
	 * @param transactional whether it will have transactions
	 * @param owner whose producer it is
	 * @throws InvalidSettingException when the client will refuse it
	 */
	public static void producer(Map<String, Object> config, boolean transactional, String owner) {
		try {
			AbstractConfig parsed = new AbstractConfig(ProducerConfig.configDef(), config, false);
			servers(parsed);
			idempotence(parsed, config, transactional, owner);
		}
		catch (ConfigException ex) {
			throw ClientRefusal.explain(ClientKind.PRODUCER, ex, config, owner);
		}
	}

	private static void servers(AbstractConfig parsed) {
		List<String> servers = parsed.getList(CommonClientConfigs.BOOTSTRAP_SERVERS_CONFIG);
		for (String server : servers) {
			if (!server.isEmpty() && (Utils.getHost(server) == null || Utils.getPort(server) == null)) {
				throw new ConfigException(CommonClientConfigs.BOOTSTRAP_SERVERS_CONFIG, server,
						"It must be a list of host:port");
			}
		}
	}

	private static void loaded(String type) {
		try {
			Utils.loadClass(type, Object.class);
		}
		catch (ClassNotFoundException ex) {
			throw new ConfigException(ConsumerConfig.PARTITION_ASSIGNMENT_STRATEGY_CONFIG, type,
					"Class " + type + " could not be found");
		}
	}

	/**
	 * What the client checks when idempotence was asked for, by name or by transactions.
	 */
	private static void idempotence(AbstractConfig parsed, Map<String, Object> config, boolean transactional,
			String owner) {
		boolean idempotent = parsed.getBoolean(ProducerConfig.ENABLE_IDEMPOTENCE_CONFIG);
		boolean asked = config.containsKey(ProducerConfig.ENABLE_IDEMPOTENCE_CONFIG);
		if (transactional && !idempotent) {
			throw refused(ProducerConfig.ENABLE_IDEMPOTENCE_CONFIG, config, true, owner, "true");
		}
		// The only one that the client insists on also where idempotence is its default.
		if (idempotent && parsed.getInt(ProducerConfig.MAX_IN_FLIGHT_REQUESTS_PER_CONNECTION) > MOST_IN_FLIGHT) {
			throw refused(ProducerConfig.MAX_IN_FLIGHT_REQUESTS_PER_CONNECTION, config, transactional, owner,
					String.valueOf(MOST_IN_FLIGHT));
		}
		if (!transactional && !(asked && idempotent)) {
			return;
		}
		String acks = parsed.getString(ProducerConfig.ACKS_CONFIG);
		if (!acks.equals("all") && !acks.equals("-1")) {
			throw refused(ProducerConfig.ACKS_CONFIG, config, transactional, owner, "all");
		}
		if (parsed.getInt(ProducerConfig.RETRIES_CONFIG) == 0) {
			throw refused(ProducerConfig.RETRIES_CONFIG, config, transactional, owner,
					String.valueOf(Integer.MAX_VALUE));
		}
	}

	private static InvalidSettingException refused(String key, Map<String, Object> config, boolean transactional,
			String owner, String instead) {
		Setting setting = ClientKind.PRODUCER.setting(key, config.get(key), owner);
		String other = transactional ? ProducerConfig.TRANSACTIONAL_ID_CONFIG
				: ProducerConfig.ENABLE_IDEMPOTENCE_CONFIG;
		Object set = config.get(other);
		Setting beside = (set != null) ? ClientKind.PRODUCER.setting(other, set, owner)
				: Setting.of(other, "true", "the default of the Kafka client");
		String why = transactional ? "transactions cannot be had with it" : "idempotence cannot be had with it";
		String way = transactional ? "remove the transaction id prefix" : "write enable.idempotence=false";
		return new InvalidSettingException(List.of(setting, beside), why,
				"Remove " + key + " or write " + key + "=" + instead + "; or " + way + ".", null);
	}

	/** Does not log all its values, as the public constructor would. */
	private static final class ParsedConsumer extends ConsumerConfig {

		ParsedConsumer(Map<String, Object> config) {
			super(config, false);
		}

	}

}
