package io.evenkeel.kafka.autoconfigure;

import java.time.Duration;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;

import io.evenkeel.kafka.broker.EmbeddedBroker;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.StringSerializer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledForJreRange;
import org.junit.jupiter.api.condition.JRE;

import org.springframework.boot.WebApplicationType;
import org.springframework.boot.autoconfigure.ImportAutoConfiguration;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.boot.kafka.autoconfigure.KafkaAutoConfiguration;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.kafka.annotation.KafkaListener;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

/**
 * With {@code spring.threads.virtual.enabled=true} handlers run on virtual threads, as
 * many at once as the concurrency says.
 */
@EnabledForJreRange(min = JRE.JAVA_21)
class VirtualThreadsIT {

	private static final int AT_ONCE = 200;

	@Test
	void handlersRunOnVirtualThreadsUpToTheConcurrency() {
		String topic = EmbeddedBroker.topic("virtual", 1);
		try (ConfigurableApplicationContext context = new SpringApplicationBuilder(Application.class)
			.web(WebApplicationType.NONE)
			.run("--test.topic=" + topic, "--spring.kafka.bootstrap-servers=" + EmbeddedBroker.bootstrapServers(),
					"--spring.kafka.consumer.auto-offset-reset=earliest", "--spring.kafka.consumer.group-id=" + topic,
					"--spring.threads.virtual.enabled=true", "--evenkeel.kafka.consumer.ordering=none",
					"--evenkeel.kafka.consumer.concurrency=" + AT_ONCE, "--spring.main.banner-mode=off")) {
			Handlers handlers = context.getBean(Handlers.class);
			try (KafkaProducer<String, String> producer = new KafkaProducer<>(
					Map.of("bootstrap.servers", EmbeddedBroker.bootstrapServers()), new StringSerializer(),
					new StringSerializer())) {
				for (int i = 0; i < 2 * AT_ONCE; i++) {
					producer.send(new ProducerRecord<>(topic, "value"));
				}
			}
			await().atMost(Duration.ofSeconds(30)).until(() -> handlers.begun.size() == AT_ONCE);
			assertThat(handlers.begun).allMatch(VirtualThreadsIT::isVirtual);
			handlers.gate.countDown();
			await().atMost(Duration.ofSeconds(30)).until(() -> handlers.begun.size() == 2 * AT_ONCE);
		}
	}

	/** The tests are compiled for 17, which does not know virtual threads. */
	private static boolean isVirtual(Thread thread) {
		try {
			return (boolean) Thread.class.getMethod("isVirtual").invoke(thread);
		}
		catch (ReflectiveOperationException ex) {
			throw new IllegalStateException(ex);
		}
	}

	@Configuration(proxyBeanMethods = false)
	@ImportAutoConfiguration({ EvenkeelConsumerAutoConfiguration.class, EvenkeelProducerAutoConfiguration.class,
			KafkaAutoConfiguration.class })
	static class Application {

		@Bean
		Handlers handlers() {
			return new Handlers();
		}

	}

	/** Holds its callers until the gate opens. */
	static class Handlers {

		final Queue<Thread> begun = new ConcurrentLinkedQueue<>();

		final CountDownLatch gate = new CountDownLatch(1);

		@KafkaListener(id = "virtual", idIsGroup = false, topics = "${test.topic}")
		void listen(String value) throws InterruptedException {
			this.begun.add(Thread.currentThread());
			this.gate.await();
		}

	}

}
