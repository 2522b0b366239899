package io.evenkeel.kafka.test;

import java.util.Map;

import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.common.config.AbstractConfig;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.Deserializer;
import org.jspecify.annotations.Nullable;

import org.springframework.kafka.core.DefaultKafkaConsumerFactory;

/**
 * The application's consumer factory, with its properties, deserializers, post-processors
 * and listeners; only the clients are the test's.
 */
final class FakeConsumerFactory<K, V> extends DefaultKafkaConsumerFactory<K, V> {

	private final FakeCluster cluster;

	private final DefaultKafkaConsumerFactory<K, V> original;

	FakeConsumerFactory(FakeCluster cluster, DefaultKafkaConsumerFactory<K, V> original) {
		super(original.getConfigurationProperties());
		this.cluster = cluster;
		this.original = original;
		original.getPostProcessors().forEach(this::addPostProcessor);
		original.getListeners().forEach(this::addListener);
	}

	@Override
	public @Nullable Deserializer<K> getKeyDeserializer() {
		return this.original.getKeyDeserializer();
	}

	@Override
	public @Nullable Deserializer<V> getValueDeserializer() {
		return this.original.getValueDeserializer();
	}

	@Override
	protected Consumer<K, V> createRawConsumer(Map<String, Object> configProps) {
		Deserializer<K> keys = this.original.getKeyDeserializer();
		Deserializer<V> values = this.original.getValueDeserializer();
		if (keys != null) {
			keys.configure(configProps, true);
		}
		if (values != null) {
			values.configure(configProps, false);
		}
		AbstractConfig parsed = parsed(configProps, keys, values);
		String group = parsed.getString(ConsumerConfig.GROUP_ID_CONFIG);
		String id = parsed.getString(ConsumerConfig.CLIENT_ID_CONFIG);
		return new FakeConsumer<>(this.cluster,
				new FakeConsumer.Settings((group != null) ? group : "", (id != null) ? id : "",
						parsed.getInt(ConsumerConfig.MAX_POLL_RECORDS_CONFIG)),
				(keys != null) ? keys : configured(parsed, ConsumerConfig.KEY_DESERIALIZER_CLASS_CONFIG, true),
				(values != null) ? values : configured(parsed, ConsumerConfig.VALUE_DESERIALIZER_CLASS_CONFIG, false));
	}

	private static AbstractConfig parsed(Map<String, Object> configs, @Nullable Object keys, @Nullable Object values) {
		Map<String, Object> known = new java.util.HashMap<>(configs);
		if (keys != null) {
			known.put(ConsumerConfig.KEY_DESERIALIZER_CLASS_CONFIG, ByteArrayDeserializer.class);
		}
		if (values != null) {
			known.put(ConsumerConfig.VALUE_DESERIALIZER_CLASS_CONFIG, ByteArrayDeserializer.class);
		}
		return new AbstractConfig(ConsumerConfig.configDef(), known, false);
	}

	@SuppressWarnings("unchecked")
	private static <T> Deserializer<T> configured(AbstractConfig parsed, String property, boolean isKey) {
		Deserializer<T> deserializer = parsed.getConfiguredInstance(property, Deserializer.class);
		deserializer.configure(parsed.originals(), isKey);
		return deserializer;
	}

}
