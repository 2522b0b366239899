package io.evenkeel.kafka.guarantee;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;

import io.evenkeel.kafka.broker.EmbeddedBroker;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.SoftAssertions.assertSoftly;
import static org.awaitility.Awaitility.await;

/**
 * Members join and leave under load, in each group protocol and with each ordering:
 * nothing is lost, nothing is handled twice, nothing overlaps or goes back (G1, G3, G4),
 * and partitions that stay are served meanwhile (G5).
 */
class RollingChangeIT {

	@ParameterizedTest
	@CsvSource({ "RANGE, partition", "RANGE, key", "RANGE, none", "COOPERATIVE, partition", "COOPERATIVE, key",
			"COOPERATIVE, none", "CONSUMER, partition", "CONSUMER, key", "CONSUMER, none" })
	void membersJoinAndLeave(GroupProtocol protocol, String ordering) {
		String topic = EmbeddedBroker.topic("rolling", 6);
		Ledger ledger = new Ledger(ordering, 3);
		Member.Builder member = Member.of(protocol, topic)
			.handler(ledger)
			.with("evenkeel.kafka.consumer.ordering=" + ordering, "evenkeel.kafka.consumer.concurrency=4");
		try (Member first = member.start().awaitAssigned(6)) {
			Load load = Load.start(topic, 400, 50);
			try (load; Member second = member.start().awaitAnyAssigned()) {
				try (Member third = member.start().awaitAnyAssigned()) {
					second.close();
					await().until(() -> ledger.callsBy(third) > 20);
				}
				first.awaitAssigned(6);
			}
			await().atMost(Duration.ofSeconds(30)).until(() -> ledger.lost(load.sent()).isEmpty());
			assertKept(ledger, load);
		}
	}

	/**
	 * Every three seconds a member comes or goes, for a minute, and beside it the same
	 * with spring-kafka's own container, which is only measured.
	 */
	@ParameterizedTest
	@CsvSource({ "RANGE, partition", "COOPERATIVE, partition", "COOPERATIVE, key", "CONSUMER, partition",
			"CONSUMER, key" })
	@EnabledIfSystemProperty(named = "evenkeel.guarantee", matches = "long")
	void membersJoinAndLeaveForAMinute(GroupProtocol protocol, String ordering) {
		Outcome ours = minute(protocol, ordering, true);
		Outcome plain = minute(protocol, "partition", false);
		System.out.printf("| %s, %s | handled | duplicates | order | longest stand-still of a retained partition "
				+ "| longest stand-still |%n", protocol, ordering);
		System.out.printf("| Evenkeel | %d | %d | %d | %d ms | %d ms |%n", ours.handled, ours.duplicates,
				ours.violations, ours.retained, ours.total);
		System.out.printf("| spring-kafka | %d | %d | %d | %d ms | %d ms |%n", plain.handled, plain.duplicates,
				plain.violations, plain.retained, plain.total);
		assertThat(ours.duplicates).as("duplicates").isZero();
		assertThat(ours.violations).as("order").isZero();
		if (protocol.retains()) {
			assertThat(ours.retained).as("stand-still of a retained partition").isLessThan(500);
		}
		assertThat(ours.total).as("stand-still").isLessThan(10_000);
	}

	private Outcome minute(GroupProtocol protocol, String ordering, boolean enabled) {
		String topic = EmbeddedBroker.topic("minute", 12);
		Ledger ledger = new Ledger(ordering, 5);
		Member.Builder member = Member.of(protocol, topic)
			.handler(ledger)
			.with("evenkeel.kafka.consumer.ordering=" + ordering, "evenkeel.kafka.consumer.enabled=" + enabled,
					"spring.kafka.listener.concurrency=4");
		Deque<Member> others = new ArrayDeque<>();
		try (Member first = member.start().awaitAssigned(12)) {
			Load load = Load.start(topic, 240, 100);
			try (load) {
				long start = System.nanoTime();
				for (int change = 1; change <= 20; change++) {
					long at = start + Duration.ofSeconds(3).toNanos() * change;
					await().atMost(Duration.ofSeconds(30))
						.pollInterval(Duration.ofMillis(10))
						.until(() -> System.nanoTime() >= at);
					if (others.size() < 2 && change % 2 == 1) {
						others.add(member.start());
					}
					else if (!others.isEmpty()) {
						others.remove().close();
					}
				}
			}
			others.forEach(Member::close);
			await().atMost(Duration.ofSeconds(60)).until(() -> ledger.lost(load.sent()).isEmpty());
		}
		return new Outcome(ledger.handled(), ledger.duplicates().size(), ledger.violations().size(),
				ledger.standStillMillis(true), ledger.standStillMillis(false));
	}

	static void assertKept(Ledger ledger, Load load) {
		assertSoftly((softly) -> {
			softly.assertThat(load.count()).as("sent").isGreaterThan(100);
			softly.assertThat(ledger.lost(load.sent())).as("lost").isEmpty();
			softly.assertThat(ledger.duplicates()).as("duplicates").isEmpty();
			softly.assertThat(ledger.violations()).as("order and overlap").isEmpty();
		});
	}

	private record Outcome(int handled, int duplicates, int violations, long retained, long total) {
	}

}
