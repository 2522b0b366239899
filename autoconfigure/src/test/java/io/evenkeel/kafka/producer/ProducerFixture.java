package io.evenkeel.kafka.producer;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;

import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.serialization.StringSerializer;

import org.springframework.kafka.core.KafkaProducerException;
import org.springframework.kafka.support.SendResult;

/**
 * Templates for tests, and what their futures say.
 */
final class ProducerFixture implements AutoCloseable {

	private final List<EvenkeelProducerFactory<String, String>> factories = new ArrayList<>();

	final ProducerRegistry registry = new ProducerRegistry((producer) -> SendObserver.NONE);

	private ProducerSettings settings = ProducerSettings.DEFAULTS;

	ProducerFixture settings(ProducerSettings settings) {
		this.settings = settings;
		return this;
	}

	EvenkeelKafkaTemplate<String, String> template(String bootstrapServers, Duration metadataTimeout) {
		return template(bootstrapServers, metadataTimeout, Map.of());
	}

	EvenkeelKafkaTemplate<String, String> template(String bootstrapServers, Duration metadataTimeout,
			Map<String, Object> overrides) {
		Map<String, Object> configs = new HashMap<>();
		configs.put(ProducerConfig.BOOTSTRAP_SERVERS_CONFIG, bootstrapServers);
		configs.put(ProducerConfig.KEY_SERIALIZER_CLASS_CONFIG, StringSerializer.class);
		configs.put(ProducerConfig.VALUE_SERIALIZER_CLASS_CONFIG, StringSerializer.class);
		configs.putAll(overrides);
		EvenkeelProducerFactory<String, String> factory = new EvenkeelProducerFactory<>(configs,
				this.settings.withMetadataTimeout(metadataTimeout), this.registry);
		this.factories.add(factory);
		EvenkeelKafkaTemplate<String, String> template = new EvenkeelKafkaTemplate<>(factory);
		template.setProducerListener(null);
		return template;
	}

	static SendFailedException failure(CompletableFuture<?> send) throws Exception {
		try {
			send.get(60, TimeUnit.SECONDS);
		}
		catch (ExecutionException ex) {
			if (ex.getCause() instanceof KafkaProducerException outer
					&& outer.getCause() instanceof SendFailedException failure) {
				return failure;
			}
			throw ex;
		}
		throw new AssertionError("The send succeeded");
	}

	static long offset(CompletableFuture<SendResult<String, String>> send) throws Exception {
		return send.get(60, TimeUnit.SECONDS).getRecordMetadata().offset();
	}

	static Duration since(long start) {
		return Duration.ofNanos(System.nanoTime() - start);
	}

	@Override
	public void close() {
		this.factories.forEach(EvenkeelProducerFactory::destroy);
	}

}
