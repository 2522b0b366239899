package io.evenkeel.kafka.engine;

import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;

import com.sun.management.ThreadMXBean;
import io.evenkeel.kafka.engine.dispatch.Assignment;
import io.evenkeel.kafka.engine.dispatch.CompletionQueue;
import io.evenkeel.kafka.engine.dispatch.Delivery;
import io.evenkeel.kafka.engine.dispatch.Dispatcher;
import io.evenkeel.kafka.engine.dispatch.LaneKeys;
import io.evenkeel.kafka.engine.dispatch.Ordering;
import io.evenkeel.kafka.engine.dispatch.Worker;
import io.evenkeel.kafka.engine.retry.RetryPlanner;
import io.evenkeel.kafka.engine.retry.RetrySettings;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.errors.RecordDeserializationException;

/**
 * Time and memory that the engine spends on one record between poll and commit, without
 * consumer and handler, on one thread. A main to be run by hand when the path is changed;
 * nothing is asserted.
 */
final class HotPath {

	private static final int POLL = 500;

	private static final int POLLS = 4000;

	private HotPath() {
	}

	public static void main(String[] args) {
		for (int round = 0; round < 3; round++) {
			for (Ordering ordering : Ordering.values()) {
				measure(ordering, POLL, false);
			}
			// Neither the number of keys nor what is completed out of order may show.
			measure(Ordering.KEY, POLL * POLLS, false);
			measure(Ordering.KEY, POLL, true);
			measure(Ordering.KEY, POLL * POLLS, true);
		}
	}

	/**
	 * Measure one case.
	 * @param distinct how many keys there are
	 * @param stuck whether the first record never ends, so that all others are completed
	 * above it
	 */
	private static void measure(Ordering ordering, int distinct, boolean stuck) {
		CompletionQueue<ConsumerRecord<String, String>> queue = new CompletionQueue<>();
		EngineObserver listener = new GuardedObserver("l", new EngineObserver() {
		});
		Dispatcher<ConsumerRecord<String, String>> dispatcher = new Dispatcher<>(queue, System::nanoTime, 8, 0);
		AttemptInvoker<String, String> invoker = new AttemptInvoker<>(new Succeeding(),
				new RetryPlanner(RetrySettings.defaults(), (failure) -> false, () -> 0.5), new Acknowledgments<>(false),
				listener, (failure) -> {
				});
		Worker<ConsumerRecord<String, String>> worker = new Worker<>(dispatcher, invoker, System::nanoTime,
				(assignment, bug) -> {
				});
		Completions<String, String> completions = new Completions<>(queue, new AssignmentTable<>(), listener,
				System::nanoTime);
		LaneKeys keys = new LaneKeys(ordering, (type) -> {
		});
		Assignment<ConsumerRecord<String, String>> assignment = new Assignment<>("t", 0, 1);
		List<ConsumerRecord<String, String>> records = new ArrayList<>();
		for (int i = 0; i < distinct; i++) {
			records.add(new ConsumerRecord<>("t", 0, i, "key" + i, "v"));
		}
		ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
		long bytes = threads.getCurrentThreadAllocatedBytes();
		long cpu = threads.getCurrentThreadCpuTime();
		long offset = 0;
		if (stuck) {
			assignment.begin(new ConsumerRecord<>("t", 0, offset, "stuck", "v"), offset++, "stuck", System.nanoTime());
		}
		List<Delivery<ConsumerRecord<String, String>>> batch = new ArrayList<>();
		for (int poll = 0; poll < POLLS; poll++) {
			long now = System.nanoTime();
			int from = (poll * POLL) % distinct;
			for (ConsumerRecord<String, String> record : records.subList(from, from + POLL)) {
				batch.add(assignment.begin(record, offset++, keys.laneKey(record.key()), now));
			}
			dispatcher.submit(batch);
			batch.clear();
			while (worker.step()) {
				Thread.onSpinWait();
			}
			completions.apply();
			assignment.retireLanes();
		}
		long count = (long) POLL * POLLS;
		System.out.printf("%-9s %8d keys %-12s %4d ns of processor, %4d bytes for each record%n", ordering, distinct,
				stuck ? "1 stuck" : "none stuck", (threads.getCurrentThreadCpuTime() - cpu) / count,
				(threads.getCurrentThreadAllocatedBytes() - bytes) / count);
	}

	private static final class Succeeding implements RecordHandler<String, String> {

		@Override
		public void handle(Attempt<String, String> attempt) {
			attempt.succeeded();
		}

		@Override
		public void recover(RecoveryAttempt<String, String> recovery) {
			recovery.ended(Recovery.SKIPPED);
		}

		@Override
		public ConsumerRecord<String, String> undeserializable(RecordDeserializationException failure) {
			throw new IllegalStateException("unused");
		}

	}

}
