package io.evenkeel.kafka.guarantee;

import java.time.Duration;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

import io.evenkeel.kafka.broker.EmbeddedBroker;
import io.evenkeel.kafka.engine.offset.CompletedOffsets;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

/**
 * A member in a process of its own is terminated, killed, or frozen beyond its session:
 * no or few records run twice, none is lost (G4, G1), and the one that comes back to life
 * commits nothing for partitions that are no longer its own (G8).
 */
class KilledAndFrozenMemberIT {

	private static final int RECORDS = 10_000;

	/**
	 * Ten thousand records are completed above a stuck one and saved with its offset;
	 * more are on their way when the member is killed.
	 */
	@ParameterizedTest
	@Execution(ExecutionMode.CONCURRENT)
	@EnumSource
	void killedWithTenThousandCompletedAboveAStuckOne(GroupProtocol protocol) {
		String topic = EmbeddedBroker.topic("killed", 2);
		Group.sessionTimeout(topic, 2_000);
		TopicPartition stuck = new TopicPartition(topic, 0);
		try (KafkaProducer<String, String> producer = Load.producer()) {
			producer.send(new ProducerRecord<>(topic, 0, "stuck-key", "stuck"));
			for (int i = 0; i < RECORDS; i++) {
				producer.send(new ProducerRecord<>(topic, (i % 10 == 0) ? 1 : 0, "key-" + i % 500, "value"));
			}
		}
		Member.Builder member = member(protocol, topic);
		Map<String, Long> done;
		Set<String> saved;
		int inHand;
		try (MemberProcess process = member.startProcess(0)) {
			await().atMost(Duration.ofSeconds(60)).until(() -> process.said("END") == RECORDS);
			saved = process.ended().keySet();
			// What is saved already is not sent again: when it stands still, all is.
			await().during(Duration.ofMillis(1_000)).atMost(Duration.ofSeconds(20)).until(metadata(topic));
			assertThat(Group.committed(topic).getOrDefault(stuck, 0L)).as("the stuck record holds the offset").isZero();
			try (Load load = Load.start(topic, 1_000, 500)) {
				await().atMost(Duration.ofSeconds(60)).until(() -> process.said("END") > RECORDS + 3_000);
				process.kill();
			}
			done = process.ended();
			inHand = process.begun().size() - done.size();
		}
		// A commit that was under way may still have been taken.
		await().during(Duration.ofMillis(500)).atMost(Duration.ofSeconds(20)).until(unchanged(topic));
		Set<String> notCommitted = notCommitted(topic, done.keySet());
		Set<String> again = ConcurrentHashMap.newKeySet();
		try (Member survivor = member
			.handler((name, record) -> again
				.add(Load.id(new TopicPartition(record.topic(), record.partition()), record.offset())))
			.start()) {
			await().atMost(Duration.ofSeconds(30)).until(() -> Group.committed(topic).equals(Group.ends(topic, 2)));
		}
		Set<String> redelivered = new HashSet<>(again);
		redelivered.retainAll(done.keySet());
		System.out.printf(
				"%s: killed after %d records, %d of them not committed and %d in hand; "
						+ "%d completed ones handled again%n",
				protocol, done.size(), notCommitted.size(), inHand, redelivered.size());
		assertThat(again).contains(Load.id(stuck, 0)).doesNotContainAnyElementsOf(saved);
		assertThat(redelivered).as("handled again: what the broker did not know of").isEqualTo(notCommitted);
		assertThat(notCommitted.size()).as("it has committed meanwhile").isLessThan(done.size() / 4);
	}

	/** Those that neither the committed offset nor the map beside it says are done. */
	private static Set<String> notCommitted(String topic, Set<String> done) {
		Map<TopicPartition, OffsetAndMetadata> committed = Group.offsets(topic);
		Set<String> result = new HashSet<>();
		for (String id : done) {
			long offset = Long.parseLong(id.substring(id.indexOf('@') + 1));
			int partition = Integer.parseInt(id.substring(id.lastIndexOf('-', id.indexOf('@')) + 1, id.indexOf('@')));
			OffsetAndMetadata known = committed.get(new TopicPartition(topic, partition));
			if (known == null || (offset >= known.offset()
					&& !CompletedOffsets.decode(known.metadata(), known.offset()).contains(offset))) {
				result.add(id);
			}
		}
		return result;
	}

	private static java.util.concurrent.Callable<Boolean> unchanged(String topic) {
		Map<TopicPartition, OffsetAndMetadata> before = new ConcurrentHashMap<>();
		return () -> {
			Map<TopicPartition, OffsetAndMetadata> now = Group.offsets(topic);
			boolean same = now.equals(before);
			before.clear();
			before.putAll(now);
			return same;
		};
	}

	private static java.util.concurrent.Callable<Boolean> metadata(String topic) {
		String[] before = { "" };
		return () -> {
			var offset = Group.offsets(topic).get(new TopicPartition(topic, 0));
			String now = (offset != null) ? offset.metadata() : "";
			boolean same = !now.isEmpty() && now.equals(before[0]);
			before[0] = now;
			return same;
		};
	}

	@ParameterizedTest
	@Execution(ExecutionMode.CONCURRENT)
	@EnumSource
	void terminatedUnderLoadHandsOverWithoutADuplicate(GroupProtocol protocol) {
		String topic = EmbeddedBroker.topic("terminated", 4);
		Member.Builder member = member(protocol, topic);
		Ledger ledger = new Ledger("key", 20);
		try (MemberProcess process = member.startProcess(20);
				Member survivor = member.handler(ledger).start().awaitAssigned(2);
				Load load = Load.start(topic, 100, 100)) {
			await().atMost(Duration.ofSeconds(30)).until(() -> process.said("END") > 40);
			process.terminate();
			survivor.awaitAssigned(4);
			load.close();
			await().atMost(Duration.ofSeconds(30)).until(() -> Group.committed(topic).equals(Group.ends(topic, 4)));
			Set<String> handled = process.ended().keySet();
			assertThat(process.begun().keySet()).as("finished what it began").isEqualTo(handled);
			Set<String> lost = ledger.lost(load.sent());
			Set<String> twice = new HashSet<>(load.sent());
			twice.removeAll(lost);
			twice.retainAll(handled);
			lost.removeAll(handled);
			assertThat(lost).as("lost").isEmpty();
			assertThat(twice).as("duplicates").isEmpty();
			assertThat(ledger.duplicates()).isEmpty();
		}
	}

	@ParameterizedTest
	@Execution(ExecutionMode.CONCURRENT)
	@EnumSource
	void frozenBeyondItsSession(GroupProtocol protocol) {
		int partitions = 4;
		String topic = EmbeddedBroker.topic("frozen", partitions);
		Group.sessionTimeout(topic, 2_000);
		Member.Builder member = member(protocol, topic);
		Ledger ledger = new Ledger("partition", 0);
		try (MemberProcess process = member.startProcess(300);
				Member survivor = member(protocol, topic).handler(ledger).start().awaitAssigned(partitions / 2)) {
			Set<String> sent;
			try (Load load = Load.start(topic, 100, 100)) {
				await().atMost(Duration.ofSeconds(30)).until(() -> process.said("END") > 4);
				process.freeze();
				survivor.awaitAssigned(partitions);
				load.close();
				sent = load.sent();
			}
			Map<TopicPartition, Long> ends = Group.ends(topic, partitions);
			await().atMost(Duration.ofSeconds(30)).until(() -> Group.committed(topic).equals(ends));
			Set<String> inHand = new HashSet<>(process.begun().keySet());
			inHand.removeAll(process.ended().keySet());
			assertThat(inHand).as("in hand when it was frozen").isNotEmpty();
			Set<String> before = process.ended().keySet();
			process.thaw();
			await().atMost(Duration.ofSeconds(30)).until(() -> process.said("LOST") > 0 && process.said("STALE") > 0);
			await().during(Duration.ofMillis(1_500))
				.atMost(Duration.ofSeconds(10))
				.until(() -> Group.committed(topic).equals(ends));
			Set<String> late = new HashSet<>(process.ended().keySet());
			late.removeAll(before);
			assertThat(late).as("ended after the thaw").containsAll(inHand);
			survivor.awaitAssigned(partitions / 2);
			int had = process.said("END");
			Load.send(topic, 40, 40);
			await().atMost(Duration.ofSeconds(30))
				.until(() -> process.said("END") > had && Group.committed(topic).equals(Group.ends(topic, partitions)));
			Set<String> lost = ledger.lost(sent);
			lost.removeAll(process.ended().keySet());
			assertThat(lost).as("lost").isEmpty();
			assertThat(process.isAlive()).isTrue();
		}
	}

	private static Member.Builder member(GroupProtocol protocol, String topic) {
		Member.Builder member = Member.of(protocol, topic)
			.with("evenkeel.kafka.consumer.ordering=key", "evenkeel.kafka.consumer.concurrency=4",
					"evenkeel.kafka.consumer.max-pending-records=20000",
					"evenkeel.kafka.consumer.commit.interval=200ms");
		return protocol.isClassic() ? member.client("session.timeout.ms=2000", "heartbeat.interval.ms=300") : member;
	}

}
