package io.evenkeel.benchmarks;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.function.Supplier;

import org.apache.kafka.clients.producer.Callback;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;

import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;

import org.springframework.boot.WebApplicationType;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.kafka.core.KafkaTemplate;
import org.springframework.kafka.core.ProducerFactory;

/**
 * One way to send, in an application of its own that lives as long as the comparison.
 *
 * @param name for the table
 * @param context the application
 * @param topic where the records go
 * @param producer the producer, if that is what sends
 * @param template the template, if that is
 */
record SendingArm(String name, ConfigurableApplicationContext context, String topic, Producer<String, byte[]> producer,
		KafkaTemplate<String, byte[]> template) {

	private static final Callback IGNORED = (metadata, failure) -> {
	};

	/** All of them by their names, made when asked for. */
	static Map<String, Supplier<SendingArm>> all(String servers, String topic) {
		Map<String, Supplier<SendingArm>> arms = new LinkedHashMap<>();
		arms.put("bare", () -> make("bare", servers, topic, Bare.class));
		arms.put("sending", () -> make("sending", servers, topic, Bare.class));
		arms.put("stock template", () -> make("stock template", servers, topic, Bare.class));
		arms.put("our template", () -> make("our template", servers, topic, Bare.class));
		arms.put("stock with meters", () -> make("stock with meters", servers, topic, Metered.class));
		arms.put("ours with meters", () -> make("ours with meters", servers, topic, Metered.class));
		return arms;
	}

	/** What an arm is compared with. */
	static String baseOf(String name) {
		return switch (name) {
			case "sending" -> "bare";
			case "our template" -> "stock template";
			case "ours with meters" -> "stock with meters";
			default -> name;
		};
	}

	@SuppressWarnings("unchecked")
	private static SendingArm make(String name, String servers, String topic, Class<?> application) {
		boolean ours = !baseOf(name).equals(name);
		ConfigurableApplicationContext context = new SpringApplicationBuilder(application).web(WebApplicationType.NONE)
			.properties("spring.kafka.bootstrap-servers=" + servers, "spring.main.banner-mode=off",
					"spring.kafka.producer.value-serializer=org.apache.kafka.common.serialization.ByteArraySerializer",
					"evenkeel.kafka.producer.enabled=" + ours, "evenkeel.kafka.consumer.enabled=" + ours,
					"logging.level.root=warn", "logging.level.io.evenkeel=warn")
			.run();
		KafkaTemplate<String, byte[]> template = context.getBean(KafkaTemplate.class);
		try {
			// What waits for the topic is not the healthy path.
			template.send(topic, new byte[0]).get();
		}
		catch (InterruptedException | ExecutionException ex) {
			throw new IllegalStateException(ex);
		}
		ProducerFactory<String, byte[]> factory = template.getProducerFactory();
		Producer<String, byte[]> producer = switch (name) {
			case "bare" -> new KafkaProducer<>(factory.getConfigurationProperties());
			case "sending" -> factory.createProducer();
			default -> null;
		};
		return new SendingArm(name, context, topic, producer, template);
	}

	/**
	 * Send a record.
	 * @param key its key
	 * @param value its value
	 * @param done told of the end, or {@code null} if nobody cares
	 */
	void send(String key, byte[] value, Ended done) {
		ProducerRecord<String, byte[]> record = new ProducerRecord<>(this.topic, key, value);
		if (this.producer != null) {
			this.producer.send(record, (done != null) ? (metadata, failure) -> done.ended(failure) : IGNORED);
		}
		else if (done != null) {
			this.template.send(record).whenComplete((result, failure) -> done.ended(failure));
		}
		else {
			this.template.send(record);
		}
	}

	void flush() {
		if (this.producer != null) {
			this.producer.flush();
		}
		else {
			this.template.flush();
		}
	}

	void close() {
		this.context.close();
	}

	/**
	 * Hears of the end of a send.
	 */
	interface Ended {

		void ended(Throwable failure);

	}

	@Configuration(proxyBeanMethods = false)
	@EnableAutoConfiguration
	static class Bare {

	}

	@Configuration(proxyBeanMethods = false)
	@EnableAutoConfiguration
	static class Metered {

		@Bean
		MeterRegistry meterRegistry() {
			return new SimpleMeterRegistry();
		}

	}

}
