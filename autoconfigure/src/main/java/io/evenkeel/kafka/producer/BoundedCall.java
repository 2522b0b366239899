package io.evenkeel.kafka.producer;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;

import org.apache.commons.logging.Log;
import org.apache.commons.logging.LogFactory;

/**
 * Runs a call of the client that has no bound of its own, and stops waiting for it in
 * time. The second half of {@code close(Duration)} waits for the client's I/O thread, and
 * for ever when that one is stuck.
 */
final class BoundedCall {

	private static final Log logger = LogFactory.getLog(BoundedCall.class);

	private BoundedCall() {
	}

	/**
	 * Run a call on a thread of its own; an interrupt of the waiting thread neither ends
	 * the wait nor gets lost.
	 * @param threads makes the thread
	 * @param call the call
	 * @param timeoutNanos the longest wait, in nanoseconds
	 * @return whether the call has ended
	 */
	static boolean run(ThreadFactory threads, Runnable call, long timeoutNanos) {
		CountDownLatch done = new CountDownLatch(1);
		start(threads, call, done);
		long end = System.nanoTime() + timeoutNanos;
		boolean interrupted = false;
		try {
			while (true) {
				try {
					return done.await(end - System.nanoTime(), TimeUnit.NANOSECONDS);
				}
				catch (InterruptedException ex) {
					interrupted = true;
				}
			}
		}
		finally {
			if (interrupted) {
				Thread.currentThread().interrupt();
			}
		}
	}

	private static void start(ThreadFactory threads, Runnable call, CountDownLatch done) {
		Thread thread = threads.newThread(() -> {
			try {
				call.run();
			}
			catch (RuntimeException | Error ex) {
				logger.warn("A call of the client failed: " + ex.getClass().getName());
			}
			finally {
				done.countDown();
			}
		});
		if (thread == null) {
			throw new IllegalStateException("The thread factory refused a thread");
		}
		thread.start();
	}

}
