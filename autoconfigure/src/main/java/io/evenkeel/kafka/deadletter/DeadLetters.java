package io.evenkeel.kafka.deadletter;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Supplier;

import io.evenkeel.kafka.thread.OwnThreads;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.Producer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import org.springframework.beans.factory.DisposableBean;

/**
 * The dead letters of this application's listeners: what there is, sending it back to
 * where it came from, putting it aside.
 * <p>
 * A record is done when a broker has acknowledged it in its source topic, and that is
 * remembered afterwards: a crash in between sends it once more, and never loses it. What
 * is done is kept as the offsets of a group of its own, {@code <topic>-replay}; nothing
 * is deleted from the topic. One replay or drop at a time, over all instances of the
 * application.
 *
 * <h2>Threading</h2> Any thread. {@link #list} and {@link #drop} wait for the brokers; a
 * replay has a thread of its own.
 */
public final class DeadLetters implements DisposableBean {

	private static final Logger logger = LoggerFactory.getLogger(DeadLetters.class);

	private static final Duration MOST_TIME = Duration.ofSeconds(10);

	private static final int MOST_PER_SECOND = 100_000;

	private static final Duration ACKNOWLEDGED = Duration.ofMinutes(2);

	private static final int TICKS = 10;

	private final Supplier<Map<String, String>> topics;

	private final DeadLetterClients clients;

	private @Nullable Replay replay;

	/**
	 * Work with dead letters.
	 * @param topics the source of each dead-letter topic, by its name, at a moment
	 * @param clients makes the clients
	 */
	public DeadLetters(Supplier<Map<String, String>> topics, DeadLetterClients clients) {
		this.topics = topics;
		this.clients = clients;
	}

	/**
	 * The dead-letter topics of this application's listeners.
	 * @return their names, whether they exist or not
	 */
	public Set<String> topics() {
		return Set.copyOf(this.topics.get().keySet());
	}

	/**
	 * What there is. Reads the topics, for ten seconds each at most.
	 * @return one for each dead-letter topic of this application's listeners, those
	 * included that do not exist yet
	 */
	public List<DeadLetterSummary> list() {
		List<DeadLetterSummary> summaries = new ArrayList<>();
		new TreeMap<>(this.topics.get()).forEach((topic, source) -> summaries.add(summary(topic, source)));
		return summaries;
	}

	private DeadLetterSummary summary(String topic, String source) {
		long until = System.nanoTime() + MOST_TIME.toNanos();
		Map<Integer, long[]> partitions = new TreeMap<>();
		Map<String, Long> exceptions = new TreeMap<>();
		long[] again = new long[1];
		try (DeadLetterLog log = new DeadLetterLog(this.clients.consumer(group(topic)), topic)) {
			boolean complete = log.read((letter, done) -> {
				long[] counts = partitions.computeIfAbsent(letter.partition(),
						(key) -> new long[] { 0, letter.offset(), letter.offset() });
				counts[0]++;
				counts[2] = letter.offset();
				exceptions.merge(ReplayHeaders.exception(letter), 1L, Long::sum);
				again[0] += ReplayHeaders.wasReplayed(letter) ? 1 : 0;
				return true;
			}, () -> System.nanoTime() - until > 0);
			List<DeadLetterSummary.Failure> failures = exceptions.entrySet()
				.stream()
				.map((each) -> new DeadLetterSummary.Failure(each.getKey(), each.getValue()))
				.sorted(Comparator.comparingLong(DeadLetterSummary.Failure::records).reversed())
				.toList();
			return new DeadLetterSummary(topic, source,
					partitions.values().stream().mapToLong((counts) -> counts[0]).sum(), again[0], complete,
					partitions.entrySet()
						.stream()
						.map((each) -> new DeadLetterSummary.Partition(each.getKey(), each.getValue()[0],
								each.getValue()[1], each.getValue()[2]))
						.toList(),
					failures);
		}
	}

	/**
	 * Send dead letters back to where they came from, with their key, their headers and
	 * their partition, and a header that tells which dead letter they were. Returns at
	 * once.
	 * @param topic a dead-letter topic of this application's listeners
	 * @param selection which of them; those that come while it runs are not among them
	 * @param perSecond the most records in a second, 1 to 100,000
	 * @return tells how far it is
	 * @throws IllegalArgumentException when there is no such topic, or the rate is out of
	 * its range
	 * @throws IllegalStateException while another replay is running
	 */
	public synchronized Replay replay(String topic, Selection selection, int perSecond) {
		String source = source(topic);
		if (perSecond < 1 || perSecond > MOST_PER_SECOND) {
			throw new IllegalArgumentException("The rate is from 1 to 100000 records in a second, not " + perSecond);
		}
		idle();
		Replay started = new Replay(topic);
		this.replay = started;
		OwnThreads.daemon("evenkeel-replay", null, () -> run(started, source, selection, perSecond)).start();
		return started;
	}

	/**
	 * The last replay.
	 * @return null when there was none since the start of the application
	 */
	public synchronized @Nullable Replay lastReplay() {
		return this.replay;
	}

	/**
	 * Put dead letters aside: they are neither shown nor replayed any more. They stay in
	 * their topic until its retention ends.
	 * @param topic a dead-letter topic of this application's listeners
	 * @param selection which of them
	 * @return how many
	 * @throws IllegalArgumentException when there is no such topic
	 * @throws IllegalStateException while a replay is running
	 */
	public synchronized long drop(String topic, Selection selection) {
		source(topic);
		idle();
		long[] dropped = new long[1];
		try (DeadLetterLog log = new DeadLetterLog(this.clients.consumer(group(topic)), topic)) {
			log.read((letter, done) -> {
				if (selection.contains(letter.partition(), letter.offset())) {
					done.run();
					dropped[0]++;
				}
				return true;
			}, () -> false);
			log.save();
		}
		logger.info("{} dead letter(s) of {} were dropped", dropped[0], topic);
		return dropped[0];
	}

	private String source(String topic) {
		String source = this.topics.get().get(topic);
		if (source == null) {
			throw new IllegalArgumentException("No listener here has the dead-letter topic " + topic);
		}
		return source;
	}

	private void idle() {
		Replay running = this.replay;
		if (running != null && running.state() == Replay.State.RUNNING) {
			throw new IllegalStateException("A replay of " + running.topic() + " is running");
		}
	}

	private static String group(String topic) {
		return topic + "-replay";
	}

	private void run(Replay replay, String source, Selection selection, int perSecond) {
		logger.info("Dead letters of {} are being replayed to {}", replay.topic(), source);
		try (DeadLetterLog log = new DeadLetterLog(this.clients.consumer(group(replay.topic())), replay.topic());
				Producer<byte[], byte[]> producer = this.clients.producer()) {
			Batch batch = new Batch(log, producer, replay, perSecond);
			try {
				log.read((letter, done) -> {
					if (selection.contains(letter.partition(), letter.offset())) {
						batch.send(letter, source, done);
					}
					return !replay.isStopping();
				}, replay::isStopping);
			}
			finally {
				batch.finish();
			}
			replay.ended(replay.isStopping() ? Replay.State.STOPPED : Replay.State.DONE, null);
			logger.info("{} dead letter(s) of {} were replayed ({})", replay.sent(), replay.topic(), replay.state());
		}
		catch (Throwable ex) {
			replay.ended(Replay.State.FAILED, ex.getClass().getName());
			logger.error("The replay of {} has failed after {} record(s), which are not sent again: {}", replay.topic(),
					replay.sent(), ex.getClass().getName());
		}
	}

	@Override
	public synchronized void destroy() {
		if (this.replay != null) {
			this.replay.stop();
		}
	}

	/**
	 * Records on their way, as many as may be sent in a tenth of a second: each is done
	 * when it is acknowledged, and then that is saved.
	 */
	private static final class Batch {

		private final DeadLetterLog log;

		private final Producer<byte[], byte[]> producer;

		private final Replay replay;

		private final int size;

		private final long nanos;

		private final List<Future<?>> underway = new ArrayList<>();

		private final List<Runnable> done = new ArrayList<>();

		private long notBefore = System.nanoTime();

		Batch(DeadLetterLog log, Producer<byte[], byte[]> producer, Replay replay, int perSecond) {
			this.log = log;
			this.producer = producer;
			this.replay = replay;
			this.size = Math.max(1, perSecond / TICKS);
			this.nanos = TimeUnit.SECONDS.toNanos(1) * this.size / perSecond;
		}

		void send(ConsumerRecord<byte[], byte[]> letter, String source, Runnable done) {
			this.underway.add(this.producer.send(ReplayHeaders.original(letter, source)));
			this.done.add(done);
			if (this.underway.size() >= this.size) {
				finish();
				pause();
			}
		}

		private void pause() {
			this.notBefore = Math.max(this.notBefore + this.nanos, System.nanoTime());
			long wait = this.notBefore - System.nanoTime();
			while (wait > 0 && !this.replay.isStopping()) {
				LockSupport.parkNanos(Math.min(wait, TimeUnit.MILLISECONDS.toNanos(100)));
				wait = this.notBefore - System.nanoTime();
			}
		}

		/** Those that are acknowledged are done, whatever becomes of the others. */
		void finish() {
			RuntimeException failure = null;
			int acknowledged = 0;
			for (int i = 0; i < this.underway.size(); i++) {
				try {
					this.underway.get(i).get(ACKNOWLEDGED.toMillis(), TimeUnit.MILLISECONDS);
					this.done.get(i).run();
					acknowledged++;
				}
				catch (ExecutionException | TimeoutException ex) {
					failure = new IllegalStateException("A record could not be sent", ex);
				}
				catch (InterruptedException ex) {
					Thread.currentThread().interrupt();
					failure = new IllegalStateException("Interrupted", ex);
				}
			}
			this.underway.clear();
			this.done.clear();
			if (acknowledged > 0) {
				this.log.save();
				this.replay.sent(acknowledged);
			}
			if (failure != null) {
				throw failure;
			}
		}

	}

}
