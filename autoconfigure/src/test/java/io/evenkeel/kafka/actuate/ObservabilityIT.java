package io.evenkeel.kafka.actuate;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;

import io.evenkeel.kafka.broker.EmbeddedBroker;
import io.evenkeel.kafka.container.EvenkeelContainer;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tag;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.boot.web.server.context.WebServerApplicationContext;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Configuration;
import org.springframework.kafka.annotation.KafkaListener;
import org.springframework.kafka.config.KafkaListenerEndpointRegistry;
import org.springframework.kafka.core.KafkaTemplate;

import static java.util.Map.entry;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

/**
 * What operators see of a running listener: meters, health and the endpoint, over HTTP.
 */
@ExtendWith(OutputCaptureExtension.class)
class ObservabilityIT {

	/** Written down, not taken from the code: dashboards are made of these. */
	private static final Map<String, Set<String>> TAGS = Map.ofEntries(
			entry("evenkeel.consumer.records", Set.of("listener", "topic", "outcome")),
			entry("evenkeel.consumer.record.wait", Set.of("listener", "topic")),
			entry("evenkeel.consumer.record.residence", Set.of("listener", "topic", "outcome")),
			entry("evenkeel.consumer.retries", Set.of("listener", "topic")),
			entry("evenkeel.consumer.pending", Set.of("listener", "topic", "partition", "state")),
			entry("evenkeel.consumer.concurrency", Set.of("listener", "value")),
			entry("evenkeel.consumer.keys.active", Set.of("listener")),
			entry("evenkeel.consumer.partitions", Set.of("listener", "state")),
			entry("evenkeel.consumer.offset.committed", Set.of("listener", "topic", "partition")),
			entry("evenkeel.consumer.offset.gap", Set.of("listener", "topic", "partition")),
			entry("evenkeel.consumer.offset.oldest.age", Set.of("listener", "topic", "partition")),
			entry("evenkeel.consumer.commit", Set.of("listener", "result")),
			entry("evenkeel.consumer.rebalance", Set.of("listener", "event")),
			entry("evenkeel.consumer.rebalance.drain", Set.of("listener", "result")),
			entry("evenkeel.consumer.rebalance.records", Set.of("listener", "fate")),
			entry("evenkeel.consumer.resets", Set.of("listener", "cause")),
			entry("evenkeel.consumer.lag", Set.of("listener", "group", "topic", "partition")),
			entry("evenkeel.consumer.lag.time", Set.of("listener", "group", "topic", "partition")),
			entry("evenkeel.consumer.commit.age", Set.of("listener", "group")),
			entry("evenkeel.consumer.recovery.failures", Set.of("listener", "topic")));

	private static final JsonMapper JSON = JsonMapper.builder().build();

	private final HttpClient http = HttpClient.newHttpClient();

	private String topic;

	private ConfigurableApplicationContext context;

	private KafkaTemplate<Object, Object> template;

	private Work work;

	@BeforeEach
	@SuppressWarnings("unchecked")
	void start() {
		this.topic = EmbeddedBroker.topic("observed", 2);
		this.context = new SpringApplicationBuilder(Application.class).run("--server.port=0",
				"--test.topic=" + this.topic, "--spring.kafka.bootstrap-servers=" + EmbeddedBroker.bootstrapServers(),
				"--spring.kafka.consumer.auto-offset-reset=earliest", "--spring.kafka.consumer.group-id=" + this.topic,
				"--evenkeel.kafka.consumer.ordering=key", "--evenkeel.kafka.consumer.concurrency=4",
				"--evenkeel.kafka.consumer.commit.interval=100ms",
				"--evenkeel.kafka.consumer.retry.initial-interval=10ms",
				"--evenkeel.kafka.consumer.retry.max-attempts=3",
				"--management.endpoints.web.exposure.include=health,evenkeel",
				"--management.endpoint.evenkeel.access=unrestricted",
				"--management.endpoint.health.show-details=always", "--management.health.kafkalisteners.stale-after=1s",
				"--spring.main.banner-mode=off", "--management.health.diskspace.enabled=false");
		this.template = this.context.getBean(KafkaTemplate.class);
		this.work = this.context.getBean(Work.class);
		await().atMost(Duration.ofSeconds(20)).until(() -> container().getAssignedPartitions().size() == 2);
	}

	@AfterEach
	void stop() {
		this.work.gate.countDown();
		this.context.close();
	}

	@Test
	void metersTellWhatHappened(CapturedOutput output) {
		send("a", "ok");
		send("b", "fail");
		await().atMost(Duration.ofSeconds(20)).until(() -> count("dead-lettered") == 1 && count("success") == 1);
		MeterRegistry registry = this.context.getBean(MeterRegistry.class);
		assertThat(registry.get("evenkeel.consumer.retries")
			.tags("listener", "watched", "topic", this.topic)
			.counter()
			.count()).isEqualTo(2);
		assertThat(registry.get("evenkeel.consumer.record.wait").tags("topic", this.topic).timer().count())
			.isEqualTo(2);
		await().atMost(Duration.ofSeconds(5))
			.untilAsserted(
					() -> assertThat(registry.get("evenkeel.consumer.commit").tags("result", "ok").timer().count())
						.isPositive());
		assertThat(registry.get("evenkeel.consumer.concurrency").tags("value", "limit").gauge().value()).isEqualTo(4);
		assertThat(registry.get("evenkeel.consumer.partitions").tags("state", "assigned").gauge().value()).isEqualTo(2);
		assertThat(registry.get("spring.kafka.listener").timers()).isNotEmpty();
		assertThat(registry.get("evenkeel.producer.send").timers()).isNotEmpty();
		assertThat(output).contains("watched: call 1 of 3 for " + this.topic,
				"java.lang.IllegalArgumentException: always",
				"\tat io.evenkeel.kafka.actuate.ObservabilityIT$Work.listen(", " is sent to " + this.topic + "-dlt-",
				"@0 after 3 calls: java.lang.IllegalArgumentException: always at ");
	}

	@Test
	void eachMeterHasExactlyItsTags() {
		send("a", "ok");
		await().atMost(Duration.ofSeconds(20)).until(() -> count("success") == 1);
		MeterRegistry registry = this.context.getBean(MeterRegistry.class);
		TAGS.forEach((name, keys) -> registry.find(name)
			.meters()
			.forEach(
					(found) -> assertThat(found.getId().getTags().stream().map(Tag::getKey).collect(Collectors.toSet()))
						.as(name)
						.isEqualTo(keys)));
		assertThat(registry.getMeters()
			.stream()
			.map((meter) -> meter.getId().getName())
			.filter((name) -> name.startsWith("evenkeel.consumer."))).isSubsetOf(TAGS.keySet())
			.contains("evenkeel.consumer.records", "evenkeel.consumer.pending", "evenkeel.consumer.concurrency");
	}

	/** Without the removal in unassigned() the gauges of the partitions stay: red. */
	@Test
	void partitionMetersLeaveWithTheirAssignment() {
		MeterRegistry registry = this.context.getBean(MeterRegistry.class);
		await().atMost(Duration.ofSeconds(5))
			.until(() -> registry.find("evenkeel.consumer.offset.gap").gauges().size() == 2);
		container().stop();
		await().atMost(Duration.ofSeconds(1))
			.until(() -> registry.find("evenkeel.consumer.offset.gap").gauges().isEmpty()
					&& registry.find("evenkeel.consumer.pending").gauges().isEmpty());
		container().start();
		await().atMost(Duration.ofSeconds(20))
			.until(() -> registry.find("evenkeel.consumer.offset.gap").gauges().size() == 2);
	}

	@Test
	void theEndpointShowsTheListenerAndItsRebalances() throws Exception {
		send("a", "ok");
		await().atMost(Duration.ofSeconds(20)).until(() -> count("success") == 1);
		JsonNode listener = get("/actuator/evenkeel").get("listeners").get(0);
		assertThat(listener.get("id").asString()).isEqualTo("watched");
		assertThat(listener.get("state").asString()).isEqualTo("RUNNING");
		assertThat(listener.get("groupId").asString()).isEqualTo(this.topic);
		assertThat(listener.get("memberId").asString()).isNotEmpty();
		assertThat(listener.get("groupProtocol").asString()).isEqualTo("classic");
		assertThat(listener.get("ordering").asString()).isEqualTo("key");
		assertThat(listener.get("concurrency").get("limit").asInt()).isEqualTo(4);
		assertThat(listener.get("partitions")).hasSize(2);
		JsonNode partition = listener.get("partitions").get(0);
		assertThat(partition.propertyNames()).containsExactlyInAnyOrder("topic", "partition", "epoch", "position",
				"committed", "queued", "inFlight", "parked", "oldestAgeSeconds", "paused", "endOffset", "lag",
				"lagSeconds");
		assertThat(listener.get("rebalances").get(0).propertyNames()).containsExactlyInAnyOrder("at", "event",
				"partitions", "durationMillis", "drained", "dropped", "abandoned");
		assertThat(get("/actuator/evenkeel").get("producers").get(0).get("state").asString()).isEqualTo("RUNNING");
	}

	@Test
	void theLagCountsWhatIsInHandAndLeavesWithItsPartition() throws Exception {
		for (int i = 0; i < 20; i++) {
			send("a", "wait");
		}
		MeterRegistry registry = this.context.getBean(MeterRegistry.class);
		await().atMost(Duration.ofSeconds(10))
			.untilAsserted(() -> assertThat(
					registry.find("evenkeel.consumer.lag").tags("listener", "watched", "group", this.topic).gauges())
				.hasSize(2)
				.extracting((gauge) -> gauge.value())
				.containsExactlyInAnyOrder(0.0, 20.0));
		await().atMost(Duration.ofSeconds(10))
			.until(() -> registry.find("evenkeel.consumer.lag.time")
				.gauges()
				.stream()
				.anyMatch((gauge) -> gauge.value() > 0.5));
		assertThat(get("/actuator/evenkeel").get("listeners").get(0).get("partitions"))
			.extracting((partition) -> partition.get("lag").asLong())
			.containsExactlyInAnyOrder(0L, 20L);
		this.work.gate.countDown();
		await().atMost(Duration.ofSeconds(10))
			.until(() -> registry.find("evenkeel.consumer.lag")
				.gauges()
				.stream()
				.allMatch((gauge) -> gauge.value() == 0));
		await().atMost(Duration.ofSeconds(10))
			.until(() -> registry.find("evenkeel.consumer.commit.age").gauge() != null);
		container().stop();
		await().atMost(Duration.ofSeconds(1))
			.until(() -> registry.find("evenkeel.consumer.lag").gauges().isEmpty()
					&& registry.find("evenkeel.consumer.lag.time").gauges().isEmpty());
	}

	@Test
	void writesChangeTheListenerWhileItRuns() throws Exception {
		assertThat(post("watched", "{\"concurrency\": 64}")).isEqualTo(204);
		await().atMost(Duration.ofSeconds(2))
			.until(() -> get("/actuator/evenkeel").get("listeners")
				.get(0)
				.get("concurrency")
				.get("limit")
				.asInt() == 64);
		assertThat(post("watched", "{\"paused\": true}")).isEqualTo(204);
		await().atMost(Duration.ofSeconds(2)).until(() -> container().isContainerPaused());
		assertThat(get("/actuator/evenkeel").get("listeners").get(0).get("state").asString()).isEqualTo("PAUSED");
		assertThat(health().get("status").asString()).isEqualTo("OUT_OF_SERVICE");
		send("a", "ok");
		assertThat(post("watched", "{\"paused\": false}")).isEqualTo(204);
		await().atMost(Duration.ofSeconds(10)).until(() -> count("success") == 1);
		assertThat(post("nobody", "{\"paused\": true}")).isEqualTo(404);
		assertThat(post("watched", "{\"concurrency\": 0}")).isEqualTo(400);
		assertThat(post("watched", "{\"concurrency\": \"many\"}")).isEqualTo(400);
		assertThat(post("watched", "{}")).isEqualTo(400);
	}

	@Test
	void healthIsDownWhileARecordIsUnfinishedForTooLong() throws Exception {
		assertThat(health().get("status").asString()).isEqualTo("UP");
		send("a", "wait");
		await().atMost(Duration.ofSeconds(10)).until(() -> health().get("status").asString().equals("DOWN"));
		assertThat(health().get("details").get("watched").get("reason").asString()).contains("unfinished");
		this.work.gate.countDown();
		await().atMost(Duration.ofSeconds(10)).until(() -> health().get("status").asString().equals("UP"));
	}

	private JsonNode health() throws Exception {
		return get("/actuator/health").get("components").get("kafkaListeners");
	}

	private double count(String outcome) {
		return this.context.getBean(MeterRegistry.class)
			.find("evenkeel.consumer.records")
			.tags("topic", this.topic, "outcome", outcome)
			.counters()
			.stream()
			.mapToDouble((counter) -> counter.count())
			.sum();
	}

	private EvenkeelContainer<?, ?> container() {
		return (EvenkeelContainer<?, ?>) this.context.getBean(KafkaListenerEndpointRegistry.class)
			.getListenerContainer("watched");
	}

	private void send(String key, String value) {
		try {
			this.template.send(this.topic, key, value).get(10, TimeUnit.SECONDS);
		}
		catch (Exception ex) {
			throw new IllegalStateException(ex);
		}
	}

	private JsonNode get(String path) throws Exception {
		HttpResponse<String> response = this.http.send(HttpRequest.newBuilder(uri(path)).build(),
				HttpResponse.BodyHandlers.ofString());
		return JSON.readTree(response.body());
	}

	private int post(String listener, String body) throws Exception {
		return this.http
			.send(HttpRequest.newBuilder(uri("/actuator/evenkeel/" + listener))
				.header("Content-Type", "application/json")
				.POST(HttpRequest.BodyPublishers.ofString(body))
				.build(), HttpResponse.BodyHandlers.discarding())
			.statusCode();
	}

	private URI uri(String path) {
		int port = ((WebServerApplicationContext) this.context).getWebServer().getPort();
		return URI.create("http://localhost:" + port + path);
	}

	@Configuration(proxyBeanMethods = false)
	@EnableAutoConfiguration
	static class Application {

		@org.springframework.context.annotation.Bean
		Work work() {
			return new Work();
		}

	}

	/** The listener's work, by the value of the record. */
	static class Work {

		final CountDownLatch gate = new CountDownLatch(1);

		final AtomicInteger calls = new AtomicInteger();

		@KafkaListener(id = "watched", idIsGroup = false, topics = "${test.topic}")
		void listen(String value) throws InterruptedException {
			this.calls.incrementAndGet();
			switch (value) {
				case "fail" -> throw new IllegalArgumentException("always");
				case "wait" -> this.gate.await();
				default -> {
				}
			}
		}

	}

}
