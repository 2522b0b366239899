package io.evenkeel.kafka.engine;

import java.time.Duration;
import java.util.Optional;

import io.evenkeel.kafka.engine.dispatch.Ordering;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.record.TimestampType;
import org.junit.jupiter.api.Test;

import static io.evenkeel.kafka.engine.SteppedEngine.P0;
import static io.evenkeel.kafka.engine.SteppedEngine.P1;
import static org.assertj.core.api.Assertions.assertThat;

/**
 * What counts against the room of a listener: records and bytes that are queued, in hand
 * or parked.
 */
class PendingRoomTests {

	/** Only a further delivery can bring the acknowledgment that frees them. */
	@Test
	void whatWaitsForItsAcknowledgmentOnlyTakesNoRoom() {
		SteppedEngine engine = new SteppedEngine(SteppedEngine.settings(Ordering.PARTITION, 4, 20, 0, true));
		engine.handler = (attempt) -> {
			if (attempt.record().offset() % 100 == 99) {
				attempt.acknowledge();
			}
			attempt.returned();
		};
		engine.own(P0, P1);
		for (int i = 0; i < 30; i++) {
			engine.produce(P0, i * 10L, 10);
			engine.produce(P1, i * 10L, 10);
			engine.turn();
		}
		engine.settle();
		assertThat(engine.called(P0)).hasSize(300);
		assertThat(engine.called(P1)).hasSize(300);
		engine.settle();
		assertThat(engine.committed(P0)).isEqualTo(300);
	}

	@Test
	void bytesHoldAPartitionBackAsRecordsDo() {
		SteppedEngine engine = new SteppedEngine(settings(1_000));
		engine.own(P0);
		engine.turn();
		for (int i = 0; i < 10; i++) {
			large(engine, P0, i, 300);
			engine.turn();
		}
		// Exceeded by one poll at most.
		assertThat(engine.state(P0).assignment().tracker().unfinished()).isEqualTo(4);
		assertThat(engine.consumer.paused()).containsExactly(P0);
		engine.handler = Attempt::succeeded;
		engine.calls.forEach(Attempt::succeeded);
		engine.settle();
		assertThat(engine.called(P0)).hasSize(10);
		assertThat(engine.state(P0).assignment().heldBytes()).isZero();
	}

	@Test
	void keysAndHeadersCountToo() {
		SteppedEngine engine = new SteppedEngine(settings(1_000));
		engine.own(P0);
		engine.turn();
		RecordHeaders headers = new RecordHeaders();
		headers.add("name", new byte[96]);
		headers.add("none", null);
		engine.consumer.addRecord(new ConsumerRecord<>("t", 0, 0, 0, TimestampType.CREATE_TIME, 500, 400, "k", "v",
				headers, Optional.empty()));
		engine.turn();
		engine.turn();
		assertThat(engine.state(P0).assignment().heldBytes()).isEqualTo(500 + 400 + 100 + 4);
		assertThat(engine.state(P0).isBackPressure()).isTrue();
	}

	@Test
	void aRecordLargerThanTheBoundIsHandled() {
		SteppedEngine engine = new SteppedEngine(settings(100));
		engine.handler = Attempt::succeeded;
		engine.own(P0, P1);
		for (int i = 0; i < 3; i++) {
			large(engine, P0, i, 5_000);
			large(engine, P1, i, 5_000);
		}
		engine.settle();
		engine.settle();
		assertThat(engine.called(P0)).containsExactly(0L, 1L, 2L);
		assertThat(engine.called(P1)).containsExactly(0L, 1L, 2L);
	}

	/** One that is stuck costs its own lane, however large it is. */
	@Test
	void oneThatFillsTheRoomAndIsStuckHoldsNobodyElse() {
		SteppedEngine engine = new SteppedEngine(settings(1_000));
		engine.handler = (attempt) -> {
			if (attempt.record().partition() == 1) {
				attempt.succeeded();
			}
		};
		engine.consumer.keepsRecords = true;
		engine.own(P0, P1);
		large(engine, P0, 0, 50_000);
		engine.turn();
		for (int i = 0; i < 5; i++) {
			large(engine, P1, i, 100);
		}
		engine.pass(Duration.ofSeconds(1));
		assertThat(engine.called(P1)).hasSize(5);
	}

	/** A record that waits for its next attempt is in memory like any other. */
	@Test
	void parkedRecordsKeepTheirRoom() {
		SteppedEngine engine = new SteppedEngine(settings(1_000));
		engine.handler = (attempt) -> attempt.again(Duration.ofSeconds(10));
		engine.own(P0);
		large(engine, P0, 0, 400);
		engine.turn();
		engine.turn();
		assertThat(engine.state(P0).assignment().heldBytes()).isEqualTo(400);
		assertThat(engine.state(P0).assignment().heldRecords()).isEqualTo(1);
	}

	/** Red when its bytes stay behind: the room would shrink with each such record. */
	@Test
	void whatIsAcknowledgedWhileItWaitsForAnotherCallLeavesItsRoom() {
		SteppedEngine engine = new SteppedEngine(settings(1_000));
		engine.handler = (attempt) -> attempt.again(Duration.ofSeconds(1));
		engine.own(P0);
		large(engine, P0, 0, 400);
		engine.turn();
		engine.calls.get(0).acknowledge();
		// Another one, so that it is not the end of all that is pending.
		engine.handler = (attempt) -> {
		};
		large(engine, P0, 1, 100);
		engine.settle();
		large(engine, P0, 2, 100);
		engine.settle();
		assertThat(engine.state(P0).assignment().heldBytes()).isEqualTo(200);
		engine.calls.forEach(Attempt::returned);
		engine.settle();
		assertThat(engine.state(P0).assignment().heldBytes()).isZero();
	}

	private static EngineSettings settings(long bytes) {
		EngineSettings base = SteppedEngine.settings(Ordering.KEY, 8, 100);
		return new EngineSettings(base.ordering(), base.concurrency(), base.batchSize(), base.maxPendingRecords(),
				bytes, base.commitInterval(), base.commitTimeout(), base.saveCompleted(), base.drainTimeout(),
				base.onDrainTimeout(), base.pollTimeout(), base.retry(), base.commitInitialPosition(),
				base.consumerProtocol(), base.coverEarlier(), base.hasGroup());
	}

	private static void large(SteppedEngine engine, TopicPartition partition, long offset, int bytes) {
		engine.consumer.addRecord(new ConsumerRecord<>(partition.topic(), partition.partition(), offset, 0,
				TimestampType.CREATE_TIME, 0, bytes, "k" + offset, "v", new RecordHeaders(), Optional.empty()));
	}

}
