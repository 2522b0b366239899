package io.evenkeel.kafka.guarantee;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;

import io.evenkeel.kafka.broker.EmbeddedBroker;
import io.evenkeel.kafka.engine.EngineObserver.RebalanceEvent;
import io.evenkeel.kafka.engine.RebalanceLog;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import org.springframework.kafka.listener.ConsumerAwareRebalanceListener;

import static java.time.Duration.ofMillis;
import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

/**
 * Slow and stuck handlers, and callbacks that fail: the membership is kept (G6), what is
 * stuck costs only its own slot and lane (G5), and a revoke ends in time (G7).
 */
class MembershipIT {

	@Test
	void aHandlerThreeTimesMaxPollIntervalCostsNoRebalance() {
		List<Member> members = new ArrayList<>();
		Map<String, Integer> calls = new ConcurrentHashMap<>();
		CountDownLatch slow = new CountDownLatch(GroupProtocol.values().length);
		try {
			for (GroupProtocol protocol : GroupProtocol.values()) {
				String topic = EmbeddedBroker.topic("slow", 2);
				Member member = Member.of(protocol, topic)
					.client("max.poll.interval.ms=2000")
					.handler((name, record) -> {
						calls.merge(topic, 1, Integer::sum);
						if ("0".equals(record.value())) {
							Thread.sleep(6_000);
							slow.countDown();
						}
					})
					.with("evenkeel.kafka.consumer.concurrency=2")
					.start()
					.awaitAssigned(2);
				members.add(member);
				Load.send(topic, 100, 20);
			}
			await().atMost(ofSeconds(20)).until(() -> slow.getCount() == 0);
			for (Member member : members) {
				String group = member.container().getGroupId();
				await().atMost(ofSeconds(10)).until(() -> Group.committed(group).equals(Group.ends(group, 2)));
				assertThat(calls.get(group)).as("calls").isEqualTo(100);
				assertThat(rebalances(member)).as("rebalances")
					.allMatch((entry) -> entry.event() == RebalanceEvent.ASSIGNED)
					.filteredOn((entry) -> !entry.partitions().isEmpty())
					.hasSize(1);
			}
		}
		finally {
			members.forEach(Member::close);
		}
	}

	@ParameterizedTest
	@EnumSource
	void aStuckHandlerCostsItsOwnSlotAndLane(GroupProtocol protocol) throws Exception {
		String topic = EmbeddedBroker.topic("stuck", 2);
		CountDownLatch release = new CountDownLatch(1);
		Set<String> handled = ConcurrentHashMap.newKeySet();
		try (Member member = Member.of(protocol, topic)
			.with("evenkeel.kafka.consumer.ordering=key", "evenkeel.kafka.consumer.concurrency=2")
			.handler((name, record) -> {
				if ("stuck".equals(record.value())) {
					release.await();
				}
				handled.add(record.partition() + "@" + record.offset() + " " + record.key());
			})
			.start()
			.awaitAssigned(2)) {
			try (KafkaProducer<String, String> producer = Load.producer()) {
				producer.send(new ProducerRecord<>(topic, 0, "stuck-key", "stuck"));
				producer.send(new ProducerRecord<>(topic, 0, "stuck-key", "behind"));
				for (int i = 0; i < 2_000; i++) {
					producer.send(new ProducerRecord<>(topic, i % 2, "key-" + i % 50, "value"));
				}
			}
			await().atMost(ofSeconds(20)).until(() -> handled.size() == 2_000);
			assertThat(handled).noneMatch((id) -> id.endsWith("stuck-key"));
			long polled = member.evenkeel().lastPollNanos();
			await().atMost(ofSeconds(5)).until(() -> member.evenkeel().lastPollNanos() - polled > 0);
			release.countDown();
			await().atMost(ofSeconds(10)).until(() -> Group.committed(topic).equals(Group.ends(topic, 2)));
			assertThat(handled).hasSize(2_002);
		}
	}

	@ParameterizedTest
	@EnumSource
	void anIdlePartitionIsHandedOverAtOnce(GroupProtocol protocol) {
		String topic = EmbeddedBroker.topic("idle", 4);
		Member.Builder builder = Member.of(protocol, topic);
		try (Member first = builder.start().awaitAssigned(4)) {
			Load.send(topic, 100, 20);
			await().atMost(ofSeconds(10)).until(() -> Group.committed(topic).equals(Group.ends(topic, 4)));
			try (Member second = builder.start().awaitAssigned(2)) {
				first.awaitAssigned(2);
			}
			assertThat(revokes(first)).isNotEmpty().allMatch((entry) -> entry.durationMillis() < 100);
		}
	}

	@ParameterizedTest
	@EnumSource
	void aRevokeGivesUpAStuckHandlerAfterTheDrainTimeout(GroupProtocol protocol) {
		drainTimeout(protocol, "abandon");
	}

	@ParameterizedTest
	@EnumSource
	void aRevokeInterruptsAStuckHandlerWhenToldTo(GroupProtocol protocol) {
		drainTimeout(protocol, "interrupt");
	}

	private void drainTimeout(GroupProtocol protocol, String onTimeout) {
		String topic = EmbeddedBroker.topic("drain", 2);
		CountDownLatch release = new CountDownLatch(1);
		AtomicInteger interrupted = new AtomicInteger();
		Set<String> stuck = ConcurrentHashMap.newKeySet();
		Set<String> second = ConcurrentHashMap.newKeySet();
		Member.Builder builder = Member.of(protocol, topic)
			.with("evenkeel.kafka.consumer.rebalance.drain-timeout=1s", "evenkeel.kafka.consumer.commit.timeout=1s",
					"evenkeel.kafka.consumer.rebalance.on-drain-timeout=" + onTimeout,
					"evenkeel.kafka.consumer.concurrency=4");
		Member.Handler sticks = (name, record) -> {
			stuck.add(record.partition() + "@" + record.offset());
			try {
				release.await();
			}
			catch (InterruptedException ex) {
				interrupted.incrementAndGet();
				throw ex;
			}
		};
		Member.Handler passes = (name, record) -> second.add(record.partition() + "@" + record.offset());
		try (Member first = builder.handler(sticks).start().awaitAssigned(2)) {
			try (KafkaProducer<String, String> producer = Load.producer()) {
				producer.send(new ProducerRecord<>(topic, 0, "a", "a"));
				producer.send(new ProducerRecord<>(topic, 1, "b", "b"));
			}
			await().atMost(ofSeconds(10)).until(() -> stuck.size() == 2);
			try (Member other = builder.handler(passes).start().awaitAnyAssigned()) {
				await().atMost(ofSeconds(10)).until(() -> second.size() == 1);
				assertThat(stuck).containsAll(second);
				assertThat(revokes(first)).isNotEmpty()
					.allSatisfy((entry) -> assertThat(entry.durationMillis()).isBetween(1_000L, 2_500L))
					.allSatisfy((entry) -> assertThat(entry.abandoned()).isEqualTo(entry.partitions().size()));
				if (onTimeout.equals("interrupt")) {
					await().atMost(ofSeconds(5)).until(() -> interrupted.get() > 0);
				}
				else {
					assertThat(interrupted).hasValue(0);
				}
				release.countDown();
				if (onTimeout.equals("abandon")) {
					await().atMost(ofSeconds(5))
						.until(() -> first.count("evenkeel.consumer.records", "outcome", "stale") > 0);
				}
				await().atMost(ofSeconds(10)).until(() -> Group.committed(topic).equals(Group.ends(topic, 2)));
			}
		}
	}

	@ParameterizedTest
	@EnumSource
	void anotherRebalanceInsideADrainLosesAndDoublesNothing(GroupProtocol protocol) {
		String topic = EmbeddedBroker.topic("twice", 6);
		Ledger ledger = new Ledger("partition", 0);
		AtomicBoolean slow = new AtomicBoolean(true);
		AtomicInteger inHand = new AtomicInteger();
		Member.Builder builder = Member.of(protocol, topic)
			.with("evenkeel.kafka.consumer.concurrency=6")
			.handler((name, record) -> {
				if (slow.get()) {
					inHand.incrementAndGet();
					Thread.sleep(3_000);
				}
				ledger.handle(name, record);
			});
		try (Member first = builder.start().awaitAssigned(6)) {
			Load.send(topic, 300, 60);
			await().atMost(ofSeconds(10)).until(() -> inHand.get() == 6);
			try (Member second = builder.start()) {
				await().atMost(ofSeconds(20)).until(() -> first.evenkeel().isRebalancing());
				slow.set(false);
				try (Member third = builder.start()) {
					assertThat(first.evenkeel().isRebalancing()).as("the drain still runs").isTrue();
					first.awaitAssigned(2);
					second.awaitAssigned(2);
					third.awaitAssigned(2);
					await().atMost(ofSeconds(20)).until(() -> ledger.handled() == 300);
				}
			}
			await().atMost(ofSeconds(10)).until(() -> Group.committed(topic).equals(Group.ends(topic, 6)));
		}
		assertThat(ledger.duplicates()).as("duplicates").isEmpty();
		assertThat(ledger.violations()).as("order").isEmpty();
	}

	@ParameterizedTest
	@EnumSource
	void anAssignedCallbackOfTheApplicationThatThrowsCostsNothing(GroupProtocol protocol) {
		String topic = EmbeddedBroker.topic("throws", 4);
		Ledger ledger = new Ledger("partition", 0);
		AtomicInteger thrown = new AtomicInteger();
		ConsumerAwareRebalanceListener throwing = new ConsumerAwareRebalanceListener() {

			@Override
			public void onPartitionsAssigned(org.apache.kafka.clients.consumer.Consumer<?, ?> consumer,
					java.util.Collection<TopicPartition> partitions) {
				thrown.incrementAndGet();
				throw new IllegalStateException("the application's own fault");
			}

		};
		Member.Builder builder = Member.of(protocol, topic).handler(ledger).bean("rebalanceListener", throwing);
		try (Member first = builder.start().awaitAssigned(4); Load load = Load.start(topic, 400, 20)) {
			try (Member second = builder.start().awaitAssigned(2)) {
				await().atMost(ofSeconds(10)).until(() -> ledger.callsBy(second) > 50);
			}
			first.awaitAssigned(4);
			load.close();
			await().atMost(ofSeconds(20)).until(() -> ledger.lost(load.sent()).isEmpty());
			RollingChangeIT.assertKept(ledger, load);
			assertThat(first.evenkeel().isRunning()).isTrue();
		}
		assertThat(thrown).hasValueGreaterThanOrEqualTo(3);
	}

	private static List<RebalanceLog.Entry> rebalances(Member member) {
		return member.evenkeel().rebalances();
	}

	private static List<RebalanceLog.Entry> revokes(Member member) {
		await().atMost(ofMillis(5_000))
			.until(() -> rebalances(member).stream().anyMatch((entry) -> entry.event() == RebalanceEvent.REVOKED));
		return rebalances(member).stream()
			.filter((entry) -> entry.event() == RebalanceEvent.REVOKED && !entry.partitions().isEmpty())
			.toList();
	}

}
