package io.evenkeel.benchmarks;

import java.io.IOException;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;

/**
 * What is sent in a round.
 *
 * @param records how many records
 * @param size the size of a value in bytes
 * @param callers how many threads send
 * @param unanswered how many records may be unanswered; beyond any number the callers
 * send as fast as they are let, ignore what they get, and flush
 */
record SendLoad(int records, int size, int callers, int unanswered) {

	private static final int KEYS = 10_000;

	private static final int STEP = 256;

	private static final String[] NAMES = new String[KEYS];

	static {
		for (int i = 0; i < KEYS; i++) {
			NAMES[i] = "key-" + i;
		}
	}

	SendCost run(SendingArm arm) throws IOException {
		AtomicLong answered = new AtomicLong();
		AtomicReference<Throwable> broken = new AtomicReference<>();
		SendingArm.Ended ended = (this.unanswered == Integer.MAX_VALUE) ? null : (failure) -> {
			if (failure != null) {
				broken.set(failure);
			}
			answered.incrementAndGet();
		};
		Thread[] threads = new Thread[this.callers];
		for (int i = 0; i < this.callers; i++) {
			threads[i] = new Thread(() -> send(arm, ended, answered), "caller-" + i);
		}
		System.gc();
		Meter meter = Meter.start();
		for (Thread thread : threads) {
			thread.start();
		}
		join(threads);
		arm.flush();
		SendCost cost = meter.stop(this.records);
		if (broken.get() != null) {
			throw new IllegalStateException(arm.name() + " broke", broken.get());
		}
		return cost;
	}

	private void send(SendingArm arm, SendingArm.Ended ended, AtomicLong answered) {
		byte[] value = new byte[this.size];
		int share = this.records / this.callers;
		int allowed = this.unanswered / this.callers;
		for (int i = 0; i < share; i++) {
			if (ended != null && i % STEP == 0) {
				while (i - answered.get() / this.callers > allowed - STEP) {
					LockSupport.parkNanos(100_000);
				}
			}
			arm.send(NAMES[i % KEYS], value, ended);
		}
		Meter.current().ends(Thread.currentThread());
	}

	private static void join(Thread[] threads) {
		try {
			for (Thread thread : threads) {
				thread.join();
			}
		}
		catch (InterruptedException ex) {
			throw new IllegalStateException(ex);
		}
	}

	@Override
	public String toString() {
		return this.records + " x " + this.size + " B, " + this.callers + " callers, "
				+ ((this.unanswered == Integer.MAX_VALUE) ? "tight" : "at most " + this.unanswered + " unanswered");
	}

}
