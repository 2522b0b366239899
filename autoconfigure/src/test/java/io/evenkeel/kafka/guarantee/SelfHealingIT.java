package io.evenkeel.kafka.guarantee;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

import io.evenkeel.kafka.broker.EmbeddedBroker;
import io.evenkeel.kafka.broker.ProcessBroker;
import io.evenkeel.kafka.engine.EngineObserver.RebalanceEvent;
import io.evenkeel.kafka.engine.RebalanceLog;
import io.evenkeel.kafka.engine.StopCause;
import io.micrometer.core.instrument.Gauge;
import org.apache.kafka.clients.consumer.ConsumerInterceptor;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

/**
 * Errors that would end other containers for good: the consumer is replaced, its
 * assignments are reset and counted, and nothing is lost (G1). Only a member whose
 * identity is taken stops, and says so.
 */
class SelfHealingIT {

	private static final String FAST_RESTART = "evenkeel.kafka.consumer.restart.initial-interval=100ms";

	@ParameterizedTest
	@EnumSource
	void aDeserializerThatThrowsAnError(GroupProtocol protocol) {
		errorInPoll(protocol, "spring.kafka.consumer.value-deserializer=" + FailingDeserializer.class.getName());
	}

	@Test
	void anInterceptorThatThrowsAnError() {
		errorInPoll(GroupProtocol.COOPERATIVE,
				"spring.kafka.consumer.properties.interceptor.classes=" + FailingInterceptor.class.getName());
	}

	private void errorInPoll(GroupProtocol protocol, String setting) {
		String topic = EmbeddedBroker.topic("error", 4);
		Ledger ledger = new Ledger("partition", 1);
		Failing.ARMED.add(topic);
		try (Member member = Member.of(protocol, topic)
			.with(setting, FAST_RESTART, "evenkeel.kafka.consumer.concurrency=4")
			.handler(ledger)
			.start()
			.awaitAssigned(4)) {
			Load.send(topic, 2_000, 100);
			await().atMost(ofSeconds(30)).until(() -> Group.committed(topic).equals(Group.ends(topic, 4)));
			assertThat(Failing.ARMED).as("it has thrown").doesNotContain(topic);
			assertThat(ledger.handled()).as("handled").isEqualTo(2_000);
			assertThat(ledger.duplicates()).as("no more than were in hand").hasSizeLessThanOrEqualTo(4);
			assertThat(member.count("evenkeel.consumer.resets", "cause", "error")).isEqualTo(4);
			assertThat(member.evenkeel().failure()).isNull();
			assertThat(member.evenkeel().restartCause()).isNull();
		}
	}

	@Test
	void theBrokerIsKilledAndComesBack() {
		try (ProcessBroker broker = ProcessBroker.single(Map.of("group.min.session.timeout.ms", "1000")).start()) {
			List<Consuming> groups = new ArrayList<>();
			try {
				for (GroupProtocol protocol : GroupProtocol.values()) {
					groups.add(Consuming.start(broker, protocol));
				}
				for (Consuming group : groups) {
					await().atMost(ofSeconds(40)).until(() -> group.ledger.handled() > 50);
				}
				broker.kill();
				broker.start();
				for (Consuming group : groups) {
					int before = group.load.count();
					await().atMost(ofSeconds(40)).until(() -> group.load.count() > before + 50);
					group.load.close();
					await().atMost(ofSeconds(40))
						.untilAsserted(() -> assertThat(group.ledger.lost(group.load.sent())).isEmpty());
					assertThat(group.ledger.violations()).filteredOn((violation) -> violation.contains("overlaps"))
						.isEmpty();
					assertThat(group.member.evenkeel().isRunning()).isTrue();
					System.out.printf("%s: broker killed and restarted, %d records, %d duplicates%n", group.protocol,
							group.ledger.handled(), group.ledger.duplicates().size());
				}
			}
			finally {
				groups.forEach(Consuming::close);
			}
		}
	}

	/** Connections stay open and nothing is answered, for longer than sessions last. */
	@Test
	@EnabledIfSystemProperty(named = "evenkeel.guarantee", matches = "long")
	void theBrokerIsFrozenAndThawed() {
		try (ProcessBroker broker = ProcessBroker.single(Map.of("group.min.session.timeout.ms", "1000")).start()) {
			List<Consuming> groups = new ArrayList<>();
			try {
				for (GroupProtocol protocol : GroupProtocol.values()) {
					groups.add(Consuming.start(broker, protocol));
				}
				for (Consuming group : groups) {
					await().atMost(ofSeconds(40)).until(() -> group.ledger.handled() > 50);
				}
				broker.freeze();
				long until = System.nanoTime() + ofSeconds(15).toNanos();
				await().atMost(ofSeconds(20)).until(() -> System.nanoTime() > until);
				broker.thaw();
				for (Consuming group : groups) {
					int before = group.load.count();
					await().atMost(ofSeconds(60)).until(() -> group.load.count() > before + 50);
					group.load.close();
					await().atMost(ofSeconds(60))
						.untilAsserted(() -> assertThat(group.ledger.lost(group.load.sent())).isEmpty());
					assertThat(group.ledger.violations()).filteredOn((violation) -> violation.contains("overlaps"))
						.isEmpty();
					System.out.printf("%s: broker frozen and thawed, %d records, %d duplicates%n", group.protocol,
							group.ledger.handled(), group.ledger.duplicates().size());
				}
			}
			finally {
				groups.forEach(Consuming::close);
			}
		}
	}

	@Test
	void aHandlerThatThrowsAnErrorIsCalledAgain() {
		String topic = EmbeddedBroker.topic("handler", 2);
		Ledger ledger = new Ledger("partition", 0);
		Failing.ARMED.add(topic);
		try (Member member = Member.of(GroupProtocol.COOPERATIVE, topic)
			.with("evenkeel.kafka.consumer.retry.initial-interval=100ms")
			.handler((name, record) -> {
				Failing.maybe(record.topic());
				ledger.handle(name, record);
			})
			.start()
			.awaitAssigned(2)) {
			Load.send(topic, 100, 20);
			await().atMost(ofSeconds(10)).until(() -> Group.committed(topic).equals(Group.ends(topic, 2)));
			assertThat(ledger.handled()).isEqualTo(100);
			assertThat(ledger.violations()).isEmpty();
			assertThat(ledger.duplicates()).isEmpty();
			assertThat(member.count("evenkeel.consumer.retries")).isEqualTo(1);
		}
	}

	/** A group with a broker of its own, under load. */
	private record Consuming(GroupProtocol protocol, Member member, Load load, Ledger ledger) implements AutoCloseable {

		static Consuming start(ProcessBroker broker, GroupProtocol protocol) {
			String topic = EmbeddedBroker.unique("restart");
			broker.createTopic(topic, 4, 1);
			Ledger ledger = new Ledger("partition", 1);
			Member member = Member.of(protocol, topic)
				.with("spring.kafka.bootstrap-servers=" + broker.bootstrapServers())
				.handler(ledger)
				.start();
			return new Consuming(protocol, member, Load.start(broker.bootstrapServers(), topic, 100, 20), ledger);
		}

		@Override
		public void close() {
			this.load.close();
			this.member.close();
		}

	}

	@ParameterizedTest
	@EnumSource(names = { "RANGE", "COOPERATIVE" })
	void aStaticMemberWhoseIdentityIsTakenStops(GroupProtocol protocol) {
		String topic = EmbeddedBroker.topic("static", 2);
		Ledger ledger = new Ledger("partition", 0);
		Member.Builder builder = Member.of(protocol, topic).client("group.instance.id=one").handler(ledger);
		try (Member first = builder.start().awaitAssigned(2); Member second = builder.start()) {
			await().atMost(ofSeconds(30)).until(() -> first.evenkeel().failure() != null);
			assertThat(first.evenkeel().failure().cause()).isEqualTo(StopCause.FENCED);
			assertThat(first.evenkeel().isRunning()).isFalse();
			assertThat(first.count("evenkeel.consumer.resets", "cause", "fenced")).isEqualTo(2);
			assertThat(first.evenkeel().rebalances()).extracting(RebalanceLog.Entry::event)
				.containsExactly(RebalanceEvent.ASSIGNED, RebalanceEvent.LOST);
			second.awaitAssigned(2);
			Load.send(topic, 20, 10);
			await().atMost(ofSeconds(10)).until(() -> ledger.callsBy(second) == 20);
			assertThat(second.evenkeel().failure()).isNull();
		}
	}

	@Test
	void aSecondMemberWithTheSameIdentityIsRefusedWithKip848() {
		String topic = EmbeddedBroker.topic("static", 2);
		Ledger ledger = new Ledger("partition", 0);
		Member.Builder builder = Member.of(GroupProtocol.CONSUMER, topic)
			.client("group.instance.id=one")
			.handler(ledger);
		try (Member first = builder.start().awaitAssigned(2); Member second = builder.start()) {
			await().atMost(ofSeconds(30)).until(() -> second.evenkeel().failure() != null);
			assertThat(second.evenkeel().failure().cause()).isEqualTo(StopCause.FENCED);
			assertThat(second.evenkeel().isRunning()).isFalse();
			Load.send(topic, 20, 10);
			await().atMost(ofSeconds(10)).until(() -> ledger.callsBy(first) == 20);
			assertThat(first.evenkeel().failure()).isNull();
		}
	}

	/** A hundred times in the long form. */
	@ParameterizedTest
	@EnumSource(names = { "COOPERATIVE", "CONSUMER" })
	void startedAndStoppedAgainAndAgain(GroupProtocol protocol) {
		int times = "long".equals(System.getProperty("evenkeel.guarantee")) ? 100 : 10;
		String topic = EmbeddedBroker.topic("cycle", 3);
		Ledger ledger = new Ledger("partition", 0);
		try (Member member = Member.of(protocol, topic).handler(ledger).start().awaitAssigned(3)) {
			Load.send(topic, 10, 10);
			await().atMost(ofSeconds(10)).until(() -> ledger.handled() == 10);
			long gauges = gauges(member);
			member.container().stop();
			for (int i = 1; i <= times; i++) {
				member.container().start();
				if (i % 5 == 0) {
					int due = ledger.handled() + 10;
					Load.send(topic, 10, 10);
					await().atMost(ofSeconds(20)).until(() -> ledger.handled() == due);
				}
				if (i < times) {
					member.container().stop();
					assertThat(member.evenkeel().isRunning()).isFalse();
				}
			}
			member.awaitAssigned(3);
			await().atMost(ofSeconds(5)).untilAsserted(() -> assertThat(gauges(member)).isEqualTo(gauges));
			member.container().stop();
			await().atMost(ofSeconds(5))
				.until(() -> member.meters().find("evenkeel.consumer.pending").gauges().isEmpty());
			await().atMost(ofSeconds(10)).untilAsserted(() -> assertThat(threads(topic)).isEmpty());
			assertThat(ledger.duplicates()).isEmpty();
			assertThat(ledger.handled()).isEqualTo(10 + times / 5 * 10);
		}
	}

	private static long gauges(Member member) {
		return member.meters().getMeters().stream().filter(Gauge.class::isInstance).count();
	}

	/** Threads of listeners and of Kafka consumers of a group. */
	private static Set<Thread> threads(String group) {
		Set<Thread> threads = new java.util.HashSet<>(Thread.getAllStackTraces().keySet());
		threads.removeIf((thread) -> !thread.getName().startsWith("listener-") && !thread.getName().contains(group)
				&& !thread.getName().contains("consumer_background_thread"));
		return threads;
	}

	/** Throws once for each topic that is in here. */
	static final class Failing {

		static final Set<String> ARMED = ConcurrentHashMap.newKeySet();

		private Failing() {
		}

		static void maybe(String topic) {
			if (ARMED.remove(topic)) {
				throw new LinkageError("once");
			}
		}

	}

	/** A deserializer with an Error in it, not an Exception. */
	public static final class FailingDeserializer extends StringDeserializer {

		@Override
		public String deserialize(String topic, byte[] data) {
			String value = super.deserialize(topic, data);
			if ("1000".equals(value)) {
				Failing.maybe(topic);
			}
			return value;
		}

		@Override
		public String deserialize(String topic, org.apache.kafka.common.header.Headers headers,
				java.nio.ByteBuffer data) {
			String value = super.deserialize(topic, headers, data);
			if ("1000".equals(value)) {
				Failing.maybe(topic);
			}
			return value;
		}

	}

	/** An interceptor with an Error in it, not an Exception. */
	public static final class FailingInterceptor implements ConsumerInterceptor<Object, Object> {

		@Override
		public ConsumerRecords<Object, Object> onConsume(ConsumerRecords<Object, Object> records) {
			records.partitions().forEach((partition) -> Failing.maybe(partition.topic()));
			return records;
		}

		@Override
		public void onCommit(Map<TopicPartition, OffsetAndMetadata> offsets) {
		}

		@Override
		public void close() {
		}

		@Override
		public void configure(Map<String, ?> configs) {
		}

	}

}
