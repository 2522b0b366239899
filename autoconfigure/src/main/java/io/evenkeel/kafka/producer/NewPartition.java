package io.evenkeel.kafka.producer;

import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;

import org.jspecify.annotations.Nullable;

/**
 * Hands a record over for a partition that the client does not know yet. It asks brokers
 * only when it is given such a record, and then waits for as long as its one limit says;
 * on a thread of its own that wait can be ended.
 * <p>
 * <b>Threading.</b> The sender waits for the other thread, and knows for certain whether
 * the client has the record: a call that is interrupted in its wait has not taken it.
 */
final class NewPartition {

	/** The client's wait ends with the interrupt. */
	private static final long AFTER_INTERRUPT = TimeUnit.SECONDS.toNanos(5);

	private NewPartition() {
	}

	/**
	 * Make the call.
	 * @param threads makes the thread
	 * @param call hands the record over
	 * @param limitNanos how long to wait for the partition, in nanoseconds
	 * @return what became of it, {@code null} if nobody knows
	 */
	static @Nullable Handed handOver(ThreadFactory threads, Callable<Handed> call, long limitNanos) {
		FutureTask<Handed> task = new FutureTask<>(call);
		Thread thread = threads.newThread(task);
		if (thread == null) {
			throw new IllegalStateException("The thread factory refused a thread");
		}
		thread.start();
		boolean interrupted = false;
		boolean ended = false;
		long wait = limitNanos;
		try {
			while (true) {
				try {
					return task.get(wait, TimeUnit.NANOSECONDS);
				}
				catch (InterruptedException ex) {
					interrupted = true;
				}
				catch (java.util.concurrent.TimeoutException ex) {
					if (ended) {
						return null;
					}
				}
				ended = true;
				wait = AFTER_INTERRUPT;
				thread.interrupt();
			}
		}
		catch (ExecutionException ex) {
			return new Handed(ex.getCause(), null);
		}
		finally {
			if (interrupted) {
				Thread.currentThread().interrupt();
			}
		}
	}

}
