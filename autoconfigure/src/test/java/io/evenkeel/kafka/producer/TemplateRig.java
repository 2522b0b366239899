package io.evenkeel.kafka.producer;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Collectors;

import io.evenkeel.kafka.broker.EmbeddedBroker;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

import org.springframework.kafka.core.DefaultKafkaProducerFactory;
import org.springframework.kafka.core.KafkaTemplate;

import static java.nio.charset.StandardCharsets.UTF_8;

/**
 * One of the two templates on the shared broker, with topics of its own and a look at
 * what was stored. Configure it before the first call of {@link #factory()} or
 * {@link #template()}.
 */
final class TemplateRig implements AutoCloseable {

	private static final Duration PATIENCE = Duration.ofSeconds(60);

	final ProducerRegistry registry = new ProducerRegistry((producer) -> SendObserver.NONE);

	private final Templates which;

	private final Map<String, Object> configs = new HashMap<>();

	private final List<DefaultKafkaProducerFactory<?, ?>> factories = new ArrayList<>();

	private ProducerSettings settings = ProducerSettings.DEFAULTS;

	private DefaultKafkaProducerFactory<String, String> factory;

	private KafkaTemplate<String, String> template;

	TemplateRig(Templates which) {
		this.which = which;
		this.configs.put(ProducerConfig.BOOTSTRAP_SERVERS_CONFIG, EmbeddedBroker.bootstrapServers());
		this.configs.put(ProducerConfig.KEY_SERIALIZER_CLASS_CONFIG, StringSerializer.class);
		this.configs.put(ProducerConfig.VALUE_SERIALIZER_CLASS_CONFIG, StringSerializer.class);
	}

	/** A property of the client, the same for both. */
	TemplateRig config(String name, Object value) {
		this.configs.put(name, value);
		return this;
	}

	/** The longest wait for a topic: {@code max.block.ms} of the stock client. */
	TemplateRig metadataTimeout(Duration timeout) {
		this.settings = this.settings.withMetadataTimeout(timeout);
		if (!this.which.isOurs()) {
			this.configs.put(ProducerConfig.MAX_BLOCK_MS_CONFIG, timeout.toMillis());
		}
		return this;
	}

	/** Limits that only ours has. */
	TemplateRig settings(ProducerSettings settings) {
		this.settings = settings;
		return this;
	}

	TemplateRig transactional() {
		return config(ProducerConfig.TRANSACTIONAL_ID_CONFIG, EmbeddedBroker.unique("tx") + "-");
	}

	DefaultKafkaProducerFactory<String, String> factory() {
		if (this.factory == null) {
			this.factory = newFactory(Map.of());
		}
		return this.factory;
	}

	/** Another factory over the same properties, and some of its own. */
	<K, V> DefaultKafkaProducerFactory<K, V> newFactory(Map<String, Object> overrides) {
		Map<String, Object> all = new HashMap<>(this.configs);
		all.putAll(overrides);
		DefaultKafkaProducerFactory<K, V> result = this.which.factory(all, this.settings, this.registry);
		this.factories.add(result);
		return result;
	}

	KafkaTemplate<String, String> template() {
		if (this.template == null) {
			this.template = this.which.template(factory());
			this.template.setProducerListener(null);
		}
		return this.template;
	}

	/** A new topic on the broker. */
	String topic(int partitions) {
		return EmbeddedBroker.topic("template", partitions);
	}

	/**
	 * What a reader of committed records finds in a topic now, in order per partition.
	 */
	List<ConsumerRecord<byte[], byte[]>> records(String topic) {
		List<ConsumerRecord<byte[], byte[]>> result = new ArrayList<>();
		try (Consumer<byte[], byte[]> consumer = new KafkaConsumer<>(
				Map.of(ConsumerConfig.BOOTSTRAP_SERVERS_CONFIG, EmbeddedBroker.bootstrapServers(),
						ConsumerConfig.ISOLATION_LEVEL_CONFIG, "read_committed"),
				new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
			Set<TopicPartition> partitions = consumer.partitionsFor(topic)
				.stream()
				.map((info) -> new TopicPartition(topic, info.partition()))
				.collect(Collectors.toSet());
			consumer.assign(partitions);
			consumer.seekToBeginning(partitions);
			Map<TopicPartition, Long> ends = ends(partitions);
			long patience = System.nanoTime() + PATIENCE.toNanos();
			while (ends.entrySet().stream().anyMatch((end) -> consumer.position(end.getKey()) < end.getValue())) {
				if (System.nanoTime() - patience > 0) {
					throw new AssertionError("Not read to the end: " + ends);
				}
				consumer.poll(Duration.ofMillis(100)).forEach(result::add);
			}
		}
		return result;
	}

	/**
	 * Where the logs end, whatever is committed: that a transaction is committed is
	 * written to them after its producer has been told so.
	 */
	private static Map<TopicPartition, Long> ends(Set<TopicPartition> partitions) {
		try (Consumer<byte[], byte[]> consumer = new KafkaConsumer<>(
				Map.of(ConsumerConfig.BOOTSTRAP_SERVERS_CONFIG, EmbeddedBroker.bootstrapServers()),
				new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
			return consumer.endOffsets(partitions);
		}
	}

	List<String> values(String topic) {
		return records(topic).stream().map((record) -> new String(record.value(), UTF_8)).toList();
	}

	/** Why a send failed: the cause of the exception in its future. */
	static Throwable failure(CompletableFuture<?> send) {
		try {
			send.get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
		}
		catch (ExecutionException ex) {
			return (ex.getCause().getCause() != null) ? ex.getCause().getCause() : ex.getCause();
		}
		catch (InterruptedException | TimeoutException ex) {
			throw new AssertionError("The send did not end", ex);
		}
		throw new AssertionError("The send succeeded");
	}

	@Override
	public void close() {
		this.factories.forEach(DefaultKafkaProducerFactory::destroy);
	}

}
