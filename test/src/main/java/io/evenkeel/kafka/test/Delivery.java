package io.evenkeel.kafka.test;

import java.time.Duration;
import java.util.List;
import java.util.function.Function;
import java.util.function.Supplier;

import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;

import org.springframework.kafka.support.KafkaHeaders;

/**
 * A record that the test has delivered, and what becomes of it. Where several listeners
 * read its topic, {@link #to(String)} says which one is meant. Any thread; what waits
 * does so for ten seconds of the machine's time, whatever the test's clock says.
 */
public final class Delivery {

	/** More than the longest wait between attempts, less than a dead letter may take. */
	private static final Duration STEP = Duration.ofSeconds(31);

	private static final long LOOK_NANOS = 50_000_000;

	private final TestKafka kafka;

	private final FakeCluster cluster;

	private final StoredRecord record;

	private final @Nullable String listener;

	Delivery(TestKafka kafka, FakeCluster cluster, StoredRecord record, @Nullable String listener) {
		this.kafka = kafka;
		this.cluster = cluster;
		this.record = record;
		this.listener = listener;
	}

	/**
	 * The same record, as one listener sees it.
	 * @param listenerId the id of a {@code @KafkaListener}
	 * @return its delivery to that listener
	 */
	public Delivery to(String listenerId) {
		return new Delivery(this.kafka, this.cluster, this.record, listenerId);
	}

	/**
	 * The record.
	 * @return as it is in its topic
	 */
	public StoredRecord record() {
		return this.record;
	}

	/**
	 * How often the listener has been called with it, so far.
	 * @return 0 before the first call
	 */
	public int attempts() {
		return read((history) -> history.attempts);
	}

	/**
	 * What calls have failed with, so far.
	 * @return what the listener threw, first one first
	 */
	public List<Throwable> failures() {
		return read((history) -> List.copyOf(history.failures));
	}

	/**
	 * Whether the record has been committed: the group will not see it again.
	 * @return at once
	 */
	public boolean isCommitted() {
		String group = log().group();
		OffsetAndMetadata known = this.cluster.committed((group != null) ? group : "",
				new TopicPartition(this.record.topic(), this.record.partition()));
		return known != null && known.offset() > this.record.offset();
	}

	/**
	 * How the record has ended.
	 * @return null while it has not
	 */
	public @Nullable Outcome outcome() {
		if (read((history) -> history.succeeded)) {
			return Outcome.SUCCESS;
		}
		if (deadLetter() != null) {
			return Outcome.DEAD_LETTERED;
		}
		return (isCommitted() || read((history) -> history.skipped)) ? Outcome.SKIPPED : null;
	}

	/**
	 * Wait for a number of calls to have begun.
	 * @param count at least 1
	 * @return this
	 */
	public Delivery awaitAttempts(int count) {
		await(count + " call(s)", () -> attempts() >= count);
		return this;
	}

	/**
	 * Wait for a call to have failed. The next one comes when the test has let its time
	 * pass.
	 * @return what the last failed call threw
	 */
	public Throwable awaitFailure() {
		return awaitFailures(1);
	}

	/**
	 * Wait for a number of calls to have failed.
	 * @param count at least 1
	 * @return what the last failed call threw
	 */
	public Throwable awaitFailures(int count) {
		await(count + " failed call(s)", () -> failures().size() >= count);
		List<Throwable> failures = failures();
		return failures.get(failures.size() - 1);
	}

	/**
	 * Wait for a call to return normally.
	 * @return this
	 */
	public Delivery awaitSuccess() {
		await("a call that succeeds", () -> read((history) -> history.succeeded));
		return this;
	}

	/**
	 * Wait for the record to end, without letting time pass.
	 * @return how it ended
	 */
	public Outcome awaitEnd() {
		await("its end", () -> outcome() != null);
		return java.util.Objects.requireNonNull(outcome());
	}

	/**
	 * Wait for the record to be committed.
	 * @return this
	 */
	public Delivery awaitCommitted() {
		await("its commit", this::isCommitted);
		return this;
	}

	/**
	 * Wait for the record to be written to a dead-letter topic.
	 * @return the dead letter
	 */
	public StoredRecord awaitDeadLetter() {
		await("its dead letter", () -> deadLetter() != null);
		return java.util.Objects.requireNonNull(deadLetter());
	}

	/**
	 * Let time pass, as much as all attempts need, until the record has ended.
	 * @return how it ended
	 */
	public Outcome letRetriesRun() {
		long until = System.nanoTime() + 3 * FakeCluster.PATIENCE.toNanos();
		while (System.nanoTime() - until < 0) {
			int failed = failures().size();
			if (awaitChange(failed)) {
				Outcome outcome = outcome();
				if (outcome != null) {
					return outcome;
				}
			}
			else if (failed > 0) {
				this.kafka.advance(STEP);
			}
		}
		return awaitEnd();
	}

	/** Whether something comes by itself: time may be all that it waits for. */
	private boolean awaitChange(int failed) {
		long until = System.nanoTime() + LOOK_NANOS;
		synchronized (this.cluster) {
			while (outcome() == null && failures().size() == failed) {
				if (System.nanoTime() - until >= 0) {
					return false;
				}
				this.cluster.pause(5);
			}
			return true;
		}
	}

	private @Nullable StoredRecord deadLetter() {
		return this.cluster.deadLetterOf(this.record, KafkaHeaders.DLT_ORIGINAL_TOPIC,
				KafkaHeaders.DLT_ORIGINAL_PARTITION, KafkaHeaders.DLT_ORIGINAL_OFFSET);
	}

	private void await(String what, java.util.function.BooleanSupplier condition) {
		// Fails early where nobody reads the topic.
		log();
		Supplier<String> otherwise = () -> "Waited in vain for " + what + " of " + this.record + " in listener '"
				+ log().listener() + "': " + this;
		this.cluster.await(otherwise, condition);
	}

	private <T> T read(Function<CallLog.History, T> question) {
		CallLog log = log();
		synchronized (this.cluster) {
			return question.apply(log.history(this.record));
		}
	}

	private CallLog log() {
		return this.kafka.log(this.record.topic(), this.listener);
	}

	@Override
	public String toString() {
		List<Throwable> failures = failures();
		String last = failures.isEmpty() ? "none failed" : failures.size() + " failed, the last one with "
				+ failures.get(failures.size() - 1) + "; the next one comes when time has passed: advance(...)";
		Outcome outcome = outcome();
		return "%d call(s) so far, %s; outcome: %s".formatted(attempts(), last,
				(outcome != null) ? outcome.name() : "none yet");
	}

}
