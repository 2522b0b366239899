package io.evenkeel.kafka.autoconfigure;

import java.util.HashMap;
import java.util.Map;

import io.evenkeel.kafka.deadletter.DeadLetterClients;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.kafka.autoconfigure.KafkaConnectionDetails;
import org.springframework.boot.kafka.autoconfigure.KafkaProperties;
import org.springframework.kafka.core.ConsumerFactory;
import org.springframework.kafka.core.ProducerFactory;

/**
 * Clients for dead letters, configured as the application's own: by its factories, where
 * there is one that stands out, otherwise by {@code spring.kafka}. Without its
 * interceptors, which would see the same records twice.
 */
final class ApplicationDeadLetterClients implements DeadLetterClients {

	private static final String CLIENT_ID = "evenkeel-dead-letters";

	private final ObjectProvider<ConsumerFactory<?, ?>> consumers;

	private final ObjectProvider<ProducerFactory<?, ?>> producers;

	private final KafkaProperties properties;

	private final ObjectProvider<KafkaConnectionDetails> connection;

	ApplicationDeadLetterClients(ObjectProvider<ConsumerFactory<?, ?>> consumers,
			ObjectProvider<ProducerFactory<?, ?>> producers, KafkaProperties properties,
			ObjectProvider<KafkaConnectionDetails> connection) {
		this.consumers = consumers;
		this.producers = producers;
		this.properties = properties;
		this.connection = connection;
	}

	@Override
	public Consumer<byte[], byte[]> consumer(String group) {
		ConsumerFactory<?, ?> known = this.consumers.getIfUnique();
		Map<String, Object> config = new HashMap<>();
		if (known != null) {
			config.putAll(known.getConfigurationProperties());
		}
		else {
			config.putAll(this.properties.buildConsumerProperties());
			config.put(ConsumerConfig.BOOTSTRAP_SERVERS_CONFIG,
					this.connection.getObject().getConsumer().getBootstrapServers());
		}
		config.remove(ConsumerConfig.INTERCEPTOR_CLASSES_CONFIG);
		config.remove(ConsumerConfig.GROUP_INSTANCE_ID_CONFIG);
		config.put(ConsumerConfig.CLIENT_ID_CONFIG, CLIENT_ID);
		config.put(ConsumerConfig.GROUP_ID_CONFIG, group);
		config.put(ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, false);
		config.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "earliest");
		config.put(ConsumerConfig.ALLOW_AUTO_CREATE_TOPICS_CONFIG, false);
		return new KafkaConsumer<>(config, new ByteArrayDeserializer(), new ByteArrayDeserializer());
	}

	@Override
	public Producer<byte[], byte[]> producer() {
		ProducerFactory<?, ?> known = this.producers.getIfUnique();
		Map<String, Object> config = new HashMap<>((known != null) ? known.getConfigurationProperties()
				: ProducerClientProperties.build(this.properties, this.connection.getObject(), null));
		config.remove(ProducerConfig.INTERCEPTOR_CLASSES_CONFIG);
		config.remove(ProducerConfig.TRANSACTIONAL_ID_CONFIG);
		config.remove(ProducerConfig.PARTITIONER_CLASS_CONFIG);
		config.put(ProducerConfig.CLIENT_ID_CONFIG, CLIENT_ID);
		config.put(ProducerConfig.ACKS_CONFIG, "all");
		return new KafkaProducer<>(config, new ByteArraySerializer(), new ByteArraySerializer());
	}

}
