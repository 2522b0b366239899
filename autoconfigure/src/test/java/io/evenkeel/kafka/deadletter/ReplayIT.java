package io.evenkeel.kafka.deadletter;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;

import io.evenkeel.kafka.actuate.EvenkeelDeadLettersEndpoint;
import io.evenkeel.kafka.broker.EmbeddedBroker;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.header.Header;
import org.junit.jupiter.api.Test;

import org.springframework.boot.WebApplicationType;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.kafka.annotation.KafkaListener;
import org.springframework.kafka.core.KafkaTemplate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

/**
 * Dead letters of a real listener on a real broker: back to it, and to the topic again
 * while the handler still fails.
 */
class ReplayIT {

	@Test
	@SuppressWarnings("unchecked")
	void deadLettersGoBackToWhereTheyCameFrom() throws Exception {
		String topic = EmbeddedBroker.topic("replayed", 3);
		String dead = topic + "-dlt";
		try (ConfigurableApplicationContext context = new SpringApplicationBuilder(Application.class)
			.web(WebApplicationType.NONE)
			.run("--test.topic=" + topic, "--spring.kafka.bootstrap-servers=" + EmbeddedBroker.bootstrapServers(),
					"--spring.kafka.consumer.auto-offset-reset=earliest", "--spring.kafka.consumer.group-id=" + topic,
					"--evenkeel.kafka.consumer.retry.max-attempts=1", "--spring.main.banner-mode=off")) {
			KafkaTemplate<Object, Object> template = context.getBean(KafkaTemplate.class);
			Work work = context.getBean(Work.class);
			DeadLetters letters = context.getBean(DeadLetters.class);
			for (int i = 0; i < 6; i++) {
				ProducerRecord<Object, Object> record = new ProducerRecord<>(topic, i % 3, "key" + i, "value" + i);
				record.headers().add("tenant", "acme".getBytes(StandardCharsets.UTF_8));
				template.send(record).get(10, TimeUnit.SECONDS);
			}
			await().atMost(Duration.ofSeconds(20)).until(() -> letters.list().get(0).records() == 6);
			assertThat(letters.list()).singleElement().satisfies((summary) -> {
				assertThat(summary.topic()).isEqualTo(dead);
				assertThat(summary.exceptions())
					.containsExactly(new DeadLetterSummary.Failure("java.lang.IllegalStateException", 6));
				assertThat(summary.again()).isZero();
			});
			EvenkeelDeadLettersEndpoint endpoint = new EvenkeelDeadLettersEndpoint(letters);
			assertThat(endpoint.act("other", "replay", null, null, null, null).getStatus()).isEqualTo(404);
			assertThat(endpoint.act(dead, "replay", null, 1L, null, null).getStatus()).isEqualTo(400);
			assertThat(endpoint.act(dead, "replay", 1, 0L, 0L, null).getStatus()).isEqualTo(202);
			await().atMost(Duration.ofSeconds(20))
				.until(() -> letters.list().get(0).again() == 1 && letters.list().get(0).records() == 6);
			work.failing = false;
			work.seen.clear();
			assertThat(endpoint.act(dead, "replay", null, null, null, 1000).getStatus()).isEqualTo(202);
			await().atMost(Duration.ofSeconds(20)).until(() -> work.seen.size() == 6);
			assertThat(work.seen).allSatisfy((record) -> {
				int number = Integer.parseInt(record.key().substring(3));
				assertThat(record.value()).isEqualTo("value" + number);
				assertThat(record.partition()).isEqualTo(number % 3);
				assertThat(header(record, "tenant")).isEqualTo("acme");
				assertThat(header(record, ReplayHeaders.REPLAYED_FROM)).startsWith(dead + "-" + number % 3 + "@");
				assertThat(record.headers()).noneMatch((header) -> header.key().startsWith("kafka_dlt-"));
			});
			await().atMost(Duration.ofSeconds(10)).until(() -> endpoint.deadLetters().replay().state().equals("DONE"));
			assertThat(endpoint.deadLetters().topics().get(0).records()).isZero();
			work.failing = true;
			template.send(topic, 0, "key0", "value0").get(10, TimeUnit.SECONDS);
			await().atMost(Duration.ofSeconds(20)).until(() -> letters.list().get(0).records() == 1);
			assertThat(endpoint.act(dead, "drop", null, null, null, null).getBody()).isEqualTo(Map.of("dropped", 1L));
			assertThat(letters.list().get(0).partitions()).isEqualTo(List.of());
		}
	}

	private static String header(ConsumerRecord<?, ?> record, String name) {
		Header header = record.headers().lastHeader(name);
		return (header != null) ? new String(header.value(), StandardCharsets.UTF_8) : null;
	}

	@Configuration(proxyBeanMethods = false)
	@EnableAutoConfiguration
	static class Application {

		@Bean
		Work work() {
			return new Work();
		}

	}

	/** Fails as long as it is told to. */
	static class Work {

		private final Queue<ConsumerRecord<String, String>> seen = new ConcurrentLinkedQueue<>();

		private volatile boolean failing = true;

		@KafkaListener(id = "replayed", idIsGroup = false, topics = "${test.topic}")
		void listen(ConsumerRecord<String, String> record) {
			this.seen.add(record);
			if (this.failing) {
				throw new IllegalStateException("as told");
			}
		}

	}

}
