package io.evenkeel.kafka.engine;

import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
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
 * How far behind a partition is said to be.
 */
class LagTests {

	private final SteppedEngine engine = new SteppedEngine(SteppedEngine.settings(Ordering.KEY, 8, 1000));

	/** The client's own lag is 0 here: it has returned all that there is. */
	@Test
	void recordsInHandAreBehindUntilTheyAreDone() {
		end(P0, 140);
		this.engine.own(P0);
		this.engine.produce(P0, 0, 140);
		this.engine.pass(Duration.ofMillis(200));
		assertThat(lag(P0).records()).isEqualTo(140);
		assertThat(lag(P0).endOffset()).isEqualTo(140);
		this.engine.call(P0, 3).succeeded();
		this.engine.call(P0, 5).succeeded();
		this.engine.pass(Duration.ofMillis(200));
		assertThat(lag(P0).records()).as("what is done above the oldest is done").isEqualTo(138);
		finishAll();
		assertThat(lag(P0).records()).isZero();
	}

	@Test
	void whatIsNotFetchedYetCountsToo() {
		end(P0, 1000);
		this.engine.own(P0);
		this.engine.produce(P0, 0, 10);
		this.engine.pass(Duration.ofMillis(200));
		assertThat(lag(P0).records()).isEqualTo(1000);
		finishAll();
		assertThat(lag(P0).records()).isEqualTo(990);
	}

	/** Red when the end of the log is looked for only where records come. */
	@Test
	void theEndIsFollowedWhereNoRecordComes() {
		end(P0, 0);
		this.engine.own(P0);
		this.engine.pass(Duration.ofSeconds(3));
		this.engine.pass(Duration.ofSeconds(3));
		assertThat(lag(P0).records()).isZero();
		end(P0, 7);
		this.engine.pass(Duration.ofSeconds(2));
		assertThat(lag(P0).records()).isEqualTo(7);
	}

	@Test
	void recordsThatAreFetchedAgainAreCountedOnce() {
		SteppedEngine small = new SteppedEngine(SteppedEngine.settings(Ordering.KEY, 20, 10));
		small.handler = (attempt) -> attempt.again(Duration.ofHours(1));
		small.consumer.keepsRecords = true;
		small.consumer.updateEndOffsets(new HashMap<>(Map.of(P0, 12L, P1, 50L)));
		small.own(P0, P1);
		small.produce(P0, 0, 12);
		small.turn();
		small.produce(P1, 0, 50);
		small.pass(Duration.ofMillis(200));
		assertThat(of(small, P0).records()).isEqualTo(12);
		assertThat(of(small, P1).records()).isEqualTo(50);
		assertThat(small.state(P1).assignment().tracker().unfinished()).as("not all were kept").isLessThan(50);
	}

	/** Red when a paused partition makes the client ask the brokers. */
	@Test
	void nobodyIsAskedForTheEndOfWhatWasNeverFetched() {
		end(P0, 5);
		this.engine.paused.add(P0);
		this.engine.own(P0);
		this.engine.pass(Duration.ofSeconds(10));
		this.engine.pass(Duration.ofSeconds(10));
		assertThat(lag(P0).isKnown()).isFalse();
		assertThat(this.engine.events).doesNotContain("lag known t-0");
	}

	@Test
	void itIsSaidOnceForEachAssignmentThatTheLagIsKnown() {
		end(P0, 1);
		this.engine.own(P0);
		this.engine.produce(P0, 0, 1);
		this.engine.pass(Duration.ofSeconds(2));
		this.engine.pass(Duration.ofSeconds(2));
		assertThat(this.engine.events.stream().filter("lag known t-0"::equals)).hasSize(1);
		this.engine.own();
		this.engine.turn();
		this.engine.own(P0);
		this.engine.pass(Duration.ofSeconds(3));
		this.engine.pass(Duration.ofSeconds(3));
		assertThat(this.engine.events.stream().filter("lag known t-0"::equals)).hasSize(2);
	}

	@Test
	void aSeekLeavesTheEndInSight() {
		end(P0, 4);
		this.engine.own(P0);
		this.engine.produce(P0, 0, 4);
		this.engine.turn();
		finishAll();
		this.engine.loop.seek(P0, (consumer) -> consumer.seek(P0, 1));
		this.engine.produce(P0, 1, 3);
		this.engine.pass(Duration.ofMillis(200));
		assertThat(lag(P0).records()).isEqualTo(3);
	}

	@Test
	void theAgeIsThatOfTheOldestRecordThatIsNotDone() {
		end(P0, 3);
		this.engine.own(P0);
		List.of(1_000L, 5_000L, 9_000L).forEach(this::write);
		this.engine.pass(Duration.ofMillis(200));
		assertThat(lag(P0).seconds(11_000, this.engine.now)).isEqualTo(10);
		this.engine.call(P0, 1).succeeded();
		this.engine.pass(Duration.ofMillis(200));
		assertThat(lag(P0).seconds(11_000, this.engine.now)).isEqualTo(10);
		this.engine.call(P0, 0).succeeded();
		this.engine.pass(Duration.ofMillis(200));
		assertThat(lag(P0).seconds(11_000, this.engine.now)).isEqualTo(2);
		assertThat(lag(P0).seconds(8_000, this.engine.now)).as("a writer's clock is ahead").isZero();
		finishAll();
		assertThat(lag(P0).seconds(11_000, this.engine.now)).isZero();
	}

	@Test
	void theAgeOfWhatIsNotFetchedGrowsFromWhenItWasSeen() {
		end(P0, 0);
		this.engine.own(P0);
		this.engine.pass(Duration.ofSeconds(3));
		this.engine.pass(Duration.ofSeconds(3));
		this.engine.paused.add(P0);
		end(P0, 9);
		this.engine.pass(Duration.ofSeconds(2));
		this.engine.pass(Duration.ofSeconds(30));
		assertThat(lag(P0).seconds(0, this.engine.now)).isEqualTo(30);
	}

	@Test
	void aCommitThatFailsIsNoneForItsAge() {
		this.engine.own(P0);
		this.engine.produce(P0, 0, 1);
		this.engine.turn();
		this.engine.consumer.commitFailures
			.add(new org.apache.kafka.clients.consumer.RetriableCommitFailedException("simulated"));
		this.engine.call(P0, 0).succeeded();
		this.engine.pass(Duration.ofMillis(1100));
		assertThat(this.engine.loop.snapshot().committedNanos()).isZero();
		this.engine.pass(Duration.ofMillis(1100));
		this.engine.pass(Duration.ofMillis(1100));
		assertThat(this.engine.committed(P0)).isEqualTo(1);
		assertThat(this.engine.loop.snapshot().committedNanos()).isBetween(this.engine.now - 1_200_000_000L,
				this.engine.now);
	}

	private long written;

	private void write(long timestamp) {
		long offset = this.written++;
		this.engine.consumer.addRecord(new ConsumerRecord<>(P0.topic(), P0.partition(), offset, timestamp,
				TimestampType.CREATE_TIME, 1, 1, "k" + offset, "v", new RecordHeaders(), Optional.empty()));
	}

	private void finishAll() {
		for (int i = 0; i < 200; i++) {
			this.engine.calls.stream().filter((call) -> !call.isOver()).toList().forEach((call) -> call.succeeded());
			this.engine.turn();
		}
		this.engine.pass(Duration.ofMillis(200));
	}

	private void end(TopicPartition partition, long offset) {
		this.engine.consumer.updateEndOffsets(new HashMap<>(Map.of(partition, offset)));
	}

	private PartitionLag lag(TopicPartition partition) {
		return of(this.engine, partition);
	}

	private static PartitionLag of(SteppedEngine engine, TopicPartition partition) {
		return engine.loop.snapshot()
			.partitions()
			.stream()
			.filter((each) -> each.partition().equals(partition))
			.findFirst()
			.orElseThrow()
			.lag();
	}

}
