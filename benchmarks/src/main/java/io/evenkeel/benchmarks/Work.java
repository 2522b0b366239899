package io.evenkeel.benchmarks;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.LockSupport;

/**
 * The handler of every arm: takes its time, counts, and tells when all records were seen.
 */
final class Work {

	private final int expected;

	private final long handlerNanos;

	private final LongAdder seen = new LongAdder();

	private final AtomicLong firstNanos = new AtomicLong();

	private final AtomicLong left;

	private final CountDownLatch done = new CountDownLatch(1);

	private volatile long lastNanos;

	Work(Workload workload) {
		this.expected = workload.records();
		this.handlerNanos = TimeUnit.MICROSECONDS.toNanos(workload.handlerMicros());
		this.left = new AtomicLong(workload.records());
	}

	void handle() {
		if (this.firstNanos.get() == 0) {
			this.firstNanos.compareAndSet(0, System.nanoTime());
		}
		if (this.handlerNanos > 0) {
			LockSupport.parkNanos(this.handlerNanos);
		}
		this.seen.increment();
		if (this.left.decrementAndGet() == 0) {
			this.lastNanos = System.nanoTime();
			this.done.countDown();
		}
	}

	void await() throws InterruptedException {
		if (!this.done.await(5, TimeUnit.MINUTES)) {
			throw new IllegalStateException(this.seen.sum() + " of " + this.expected + " records after 5 minutes");
		}
	}

	/** From the first call to the end of the last, in seconds. */
	double seconds() {
		return (this.lastNanos - this.firstNanos.get()) / 1e9;
	}

	double perSecond() {
		return this.expected / seconds();
	}

}
