package io.evenkeel.kafka.producer;

import java.util.concurrent.Executor;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

import org.jspecify.annotations.Nullable;

/**
 * The one thread on which user code of a producer runs: callbacks and the continuations
 * of futures.
 * <p>
 * <b>Threading.</b> Any thread hands in; tasks run one after the other, in the order in
 * which they were handed in, so the callbacks of a partition keep the client's order. The
 * thread starts with the first task and ends after ten idle seconds. <b>Invariant.</b>
 * Handing in never waits, whatever the tasks do. <b>Why.</b> On the client's I/O thread a
 * continuation that blocks holds all sends, and one that sends waits for metadata that
 * only this very thread could fetch.
 */
final class CompletionThread implements Executor {

	private static final long IDLE_SECONDS = 10;

	private final ThreadPoolExecutor executor;

	private volatile @Nullable Thread thread;

	CompletionThread(ThreadFactory threads) {
		this.executor = new ThreadPoolExecutor(1, 1, IDLE_SECONDS, TimeUnit.SECONDS, new LinkedBlockingQueue<>(),
				(task) -> {
					Thread made = threads.newThread(task);
					this.thread = made;
					return made;
				}, (task, pool) -> task.run());
		this.executor.allowCoreThreadTimeOut(true);
	}

	@Override
	public void execute(Runnable task) {
		this.executor.execute(task);
	}

	boolean isCurrentThread() {
		return Thread.currentThread() == this.thread;
	}

	/** Run what was handed in, then end; wait for that a little. */
	void close(long timeoutNanos) {
		this.executor.shutdown();
		if (!isCurrentThread()) {
			try {
				this.executor.awaitTermination(timeoutNanos, TimeUnit.NANOSECONDS);
			}
			catch (InterruptedException ex) {
				Thread.currentThread().interrupt();
			}
		}
	}

}
