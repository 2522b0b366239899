package io.evenkeel.kafka.failure;

import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Logs why calls of one listener failed and what became of their records. The first
 * failure of a kind, which is an exception class and the place where it was thrown, comes
 * with its message and its stack trace; those that follow are counted, and the count is
 * said at intervals that grow. A record that is given up has a line of its own.
 * <p>
 * Never what a record holds: see {@link FailureText}.
 *
 * <h2>Threading</h2> Any thread. {@link #look} is for one thread, now and then.
 */
public final class FailureLog {

	private static final Logger logger = LoggerFactory.getLogger(FailureLog.class);

	/** Exceptions made on the fly have no end of places. */
	private static final int MOST_KINDS = 200;

	private static final Kind OTHERS = new Kind("exceptions of further kinds", "further places");

	private static final long FIRST_INTERVAL = TimeUnit.SECONDS.toNanos(10);

	private static final long LONGEST_INTERVAL = TimeUnit.MINUTES.toNanos(10);

	/** After so long it is told anew: the first time may be in a file that is gone. */
	private static final long FORGET = TimeUnit.HOURS.toNanos(1);

	private final String id;

	private final int maxAttempts;

	private final boolean messages;

	private final LongSupplier clock;

	private final Map<Kind, Count> kinds = new ConcurrentHashMap<>();

	/**
	 * Make the log of a listener.
	 * @param id the listener's id
	 * @param maxAttempts the most calls of a record
	 * @param messages whether messages of exceptions may be logged
	 */
	public FailureLog(String id, int maxAttempts, boolean messages) {
		this(id, maxAttempts, messages, System::nanoTime);
	}

	FailureLog(String id, int maxAttempts, boolean messages, LongSupplier clock) {
		this.id = id;
		this.maxAttempts = maxAttempts;
		this.messages = messages;
		this.clock = clock;
	}

	/**
	 * A call failed and will be made again.
	 * @param record the record, or the one of a batch that failed
	 * @param call the number of the call, from 1
	 * @param after how long until the next one
	 * @param failure why it failed
	 */
	public void retried(ConsumerRecord<?, ?> record, int call, Duration after, Throwable failure) {
		guarded(() -> {
			Count count = count(FailureText.unwrapped(failure));
			if (count.failed(this.clock.getAsLong(), place(record) + ", call " + call + " of " + this.maxAttempts)) {
				tell("call " + call + " of " + this.maxAttempts + " for " + place(record)
						+ " failed and is made again in " + seconds(after),
						new FailureText(failure, record, this.messages));
			}
		});
	}

	/**
	 * A record is given up.
	 * @param record the record
	 * @param calls how often the listener was called, 0 when it never was
	 * @param failure why the last call failed
	 * @param fate what became of it, to be read after "is"
	 */
	public void ended(ConsumerRecord<?, ?> record, int calls, Throwable failure, String fate) {
		guarded(() -> {
			FailureText text = new FailureText(failure, record, this.messages);
			Throwable unwrapped = FailureText.unwrapped(failure);
			String what = place(record) + " is " + fate + ((calls > 0) ? " after " + calls(calls) : "");
			if (count(unwrapped).ended(this.clock.getAsLong())) {
				tell(what, text);
			}
			else {
				logger.warn("{}: {}: {} at {}", this.id, what, text.line(), FailureText.place(unwrapped));
			}
		});
	}

	private static String calls(int calls) {
		return (calls == 1) ? "1 call" : calls + " calls";
	}

	private static String place(ConsumerRecord<?, ?> record) {
		return record.topic() + "-" + record.partition() + "@" + record.offset();
	}

	private static String seconds(Duration time) {
		long millis = time.toMillis();
		return (millis < 1000) ? millis + "ms" : (millis / 1000) + "." + (millis % 1000) / 100 + "s";
	}

	private void tell(String what, FailureText text) {
		Throwable speakable = text.speakable();
		if (speakable != null) {
			logger.warn("{}: {}: {}", this.id, what, text.line(), speakable);
		}
		else {
			logger.warn("{}: {}: {}{}", this.id, what, text.line(), text.stack());
		}
	}

	private Count count(Throwable unwrapped) {
		Kind kind = new Kind(unwrapped.getClass().getName(), FailureText.place(unwrapped));
		Count known = this.kinds.get(kind);
		if (known != null) {
			return known;
		}
		Kind counted = (this.kinds.size() < MOST_KINDS) ? kind : OTHERS;
		return this.kinds.computeIfAbsent(counted, (key) -> new Count(this.clock.getAsLong()));
	}

	/** Say how many there were of each kind since it was last said. */
	public void look() {
		if (this.kinds.isEmpty()) {
			return;
		}
		long now = this.clock.getAsLong();
		this.kinds.forEach((kind, count) -> {
			String said = count.take(now);
			if (said != null) {
				logger.warn("{}: {}: {} at {}", this.id, said, kind.type(), kind.place());
			}
		});
		this.kinds.values().removeIf((count) -> count.isForgotten(now));
	}

	private void guarded(Runnable said) {
		try {
			said.run();
		}
		catch (RuntimeException | Error ex) {
			// An exception of the application's that cannot be described changes nothing.
			logger.warn("{}: a failure could not be described ({})", this.id, ex.getClass().getName());
		}
	}

	private record Kind(String type, String place) {
	}

	/** How many there were of a kind, under its own lock. */
	private static final class Count {

		private boolean told;

		private int failures;

		private long saidNanos;

		private long lastNanos;

		private long interval = FIRST_INTERVAL;

		private @Nullable String last;

		Count(long now) {
			this.saidNanos = now;
		}

		/**
		 * A call failed, and will be made again.
		 * @return whether it is the first of its kind, which is told at once
		 */
		synchronized boolean failed(long now, String where) {
			if (ended(now)) {
				return true;
			}
			this.failures++;
			this.last = where;
			return false;
		}

		/** A record is given up, which is said in any case: see {@link #failed}. */
		synchronized boolean ended(long now) {
			boolean first = !this.told;
			this.told = true;
			this.lastNanos = now;
			return first;
		}

		/** What to say now; null for nothing. */
		synchronized @Nullable String take(long now) {
			if (now - this.saidNanos < this.interval) {
				return null;
			}
			long since = TimeUnit.NANOSECONDS.toSeconds(now - this.saidNanos);
			int more = this.failures;
			this.saidNanos = now;
			this.failures = 0;
			if (more == 0) {
				this.interval = FIRST_INTERVAL;
				return null;
			}
			this.interval = Math.min(2 * this.interval, LONGEST_INTERVAL);
			return more + ((more == 1) ? " more call" : " more calls") + " failed like this in the last " + since + " s"
					+ ", the last for " + this.last;
		}

		synchronized boolean isForgotten(long now) {
			return this.failures == 0 && now - this.lastNanos > FORGET;
		}

	}

}
