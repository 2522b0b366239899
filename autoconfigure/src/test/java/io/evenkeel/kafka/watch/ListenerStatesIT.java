package io.evenkeel.kafka.watch;

import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

import io.evenkeel.kafka.actuate.EvenkeelDescriptor;
import io.evenkeel.kafka.actuate.EvenkeelEndpoint;
import io.evenkeel.kafka.broker.EmbeddedBroker;
import io.evenkeel.kafka.container.EvenkeelContainer;
import io.evenkeel.kafka.health.KafkaListenersHealthIndicator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

import org.springframework.boot.WebApplicationType;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.boot.health.contributor.Health;
import org.springframework.boot.health.contributor.Status;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.kafka.annotation.KafkaListener;
import org.springframework.kafka.config.KafkaListenerEndpointRegistry;
import org.springframework.kafka.core.KafkaTemplate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

/**
 * Listeners in trouble with real clients, all at once: what each is said to be doing.
 */
@ExtendWith(OutputCaptureExtension.class)
class ListenerStatesIT {

	private ConfigurableApplicationContext context;

	@Test
	@SuppressWarnings("unchecked")
	void eachListenerSaysWhatKeepsIt(CapturedOutput output) throws Exception {
		String topic = EmbeddedBroker.topic("states", 1);
		this.context = new SpringApplicationBuilder(Application.class).web(WebApplicationType.NONE)
			.run("--test.topic=" + topic, "--spring.kafka.bootstrap-servers=" + EmbeddedBroker.bootstrapServers(),
					"--spring.kafka.consumer.auto-offset-reset=earliest",
					"--spring.kafka.consumer.properties.allow.auto.create.topics=false",
					"--evenkeel.kafka.consumer.listeners.stuck.handler.warn-after=1s",
					"--evenkeel.kafka.consumer.listeners.limited.handler.timeout=500ms",
					"--evenkeel.kafka.consumer.listeners.limited.retry.max-attempts=1",
					"--evenkeel.kafka.consumer.listeners.limited.recovery.on-exhausted=skip",
					"--spring.main.banner-mode=off");
		Work work = this.context.getBean(Work.class);
		try {
			this.context.getBean(KafkaTemplate.class).send(topic, "k", "v").get(10, TimeUnit.SECONDS);
			state("stuck", ListenerState.STUCK);
			state("unreachable", ListenerState.NO_BROKER);
			state("missing", ListenerState.MISSING_TOPIC);
			await().atMost(Duration.ofSeconds(30))
				.until(() -> listener("spare1").state().equals("NO_PARTITIONS")
						|| listener("spare2").state().equals("NO_PARTITIONS"));
			assertThat(listener("unreachable").reason())
				.startsWith("BROKERS_UNREACHABLE: no answer from [localhost:1] for ");
			assertThat(listener("stuck").slowestCalls()).singleElement().satisfies((call) -> {
				assertThat(call.topic()).isEqualTo(topic);
				assertThat(call.offset()).isZero();
				assertThat(call.attempt()).isEqualTo(1);
				assertThat(call.runningSeconds()).isGreaterThan(1);
			});
			assertThat(output).contains("stuck: call 1 for " + topic + "-0@0 has been running for ",
					"\tat " + Work.class.getName() + ".stuck(ListenerStatesIT.java:", "stuck: is STUCK, after ",
					"unreachable: is NO_BROKER", "missing: is MISSING_TOPIC");
			await().atMost(Duration.ofSeconds(20)).until(() -> work.interrupted.getCount() == 0);
			await().atMost(Duration.ofSeconds(20))
				.until(() -> output.toString()
					.contains("limited: " + topic + "-0@0 is skipped after 1 call: "
							+ "io.evenkeel.kafka.engine.HandlerTimeoutException"));
			assertThat(listener("limited").state()).isEqualTo("RUNNING");
			health();
		}
		finally {
			work.gate.countDown();
			this.context.close();
		}
	}

	private void health() {
		KafkaListenerEndpointRegistry registry = this.context.getBean(KafkaListenerEndpointRegistry.class);
		ListenerWatch watch = this.context.getBean(ListenerWatch.class);
		Health patient = new KafkaListenersHealthIndicator(registry, Duration.ofMinutes(10), watch).health();
		assertThat(patient.getStatus()).isEqualTo(Status.UP);
		Health impatient = new KafkaListenersHealthIndicator(registry, Duration.ofSeconds(3), watch).health();
		assertThat(impatient.getStatus()).isEqualTo(Status.DOWN);
		assertThat(impatient.getDetails().get("unreachable").toString()).contains("status=DOWN", "state=NO_BROKER",
				"BROKERS_UNREACHABLE");
		assertThat(impatient.getDetails().get("limited").toString()).contains("status=UP", "state=RUNNING");
	}

	private void state(String id, ListenerState expected) {
		await().atMost(Duration.ofSeconds(40)).until(() -> listener(id).state().equals(expected.name()));
	}

	private EvenkeelDescriptor.Listener listener(String id) {
		KafkaListenerEndpointRegistry registry = this.context.getBean(KafkaListenerEndpointRegistry.class);
		assertThat(registry.getListenerContainer(id)).isInstanceOf(EvenkeelContainer.class);
		return new EvenkeelEndpoint(registry, java.util.List::of, this.context.getBean(ListenerWatch.class)).evenkeel()
			.listeners()
			.stream()
			.filter((each) -> each.id().equals(id))
			.findFirst()
			.orElseThrow();
	}

	@Configuration(proxyBeanMethods = false)
	@EnableAutoConfiguration
	static class Application {

		@Bean
		Work work() {
			return new Work();
		}

	}

	static class Work {

		private final CountDownLatch gate = new CountDownLatch(1);

		private final CountDownLatch interrupted = new CountDownLatch(1);

		@KafkaListener(id = "stuck", topics = "${test.topic}")
		void stuck(String value) throws InterruptedException {
			this.gate.await();
		}

		@KafkaListener(id = "limited", topics = "${test.topic}")
		void limited(String value) throws InterruptedException {
			try {
				this.gate.await();
			}
			catch (InterruptedException ex) {
				this.interrupted.countDown();
				throw ex;
			}
		}

		@KafkaListener(id = "unreachable", topics = "somewhere", properties = "bootstrap.servers=localhost:1")
		void unreachable(String value) {
		}

		@KafkaListener(id = "missing", topics = "no-such-topic-of-states")
		void missing(String value) {
		}

		@KafkaListener(id = "spare1", groupId = "spares", topics = "${test.topic}")
		void one(String value) {
		}

		@KafkaListener(id = "spare2", groupId = "spares", topics = "${test.topic}")
		void two(String value) {
		}

	}

}
