package io.evenkeel.kafka.producer;

import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Supplier;

import org.apache.commons.logging.Log;
import org.apache.commons.logging.LogFactory;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.common.KafkaException;
import org.jspecify.annotations.Nullable;

/**
 * Keeps the client from lingering as long as somebody waits for sends to end.
 * <p>
 * <b>Threading.</b> A thread of its own, because the client's {@code flush()} has no
 * bound and waits for whatever the client has in hand. <b>Why.</b> It is called again and
 * again: a record that waited in a line is handed over later, and would then wait for its
 * {@code linger.ms}.
 */
final class ClientFlush implements Runnable {

	private static final Log logger = LogFactory.getLog(ClientFlush.class);

	private static final long PAUSE = TimeUnit.MILLISECONDS.toNanos(5);

	private final Supplier<? extends @Nullable Producer<?, ?>> client;

	private volatile boolean stopped;

	private ClientFlush(Supplier<? extends @Nullable Producer<?, ?>> client) {
		this.client = client;
	}

	/**
	 * Wait for sends to end, and let the client send at once what it has of them.
	 * @param threads makes the thread that flushes the client
	 * @param client the client of the moment, if there is one
	 * @param sends what to wait for
	 * @param deadline when to stop waiting
	 * @return whether they have ended
	 * @throws org.apache.kafka.common.errors.InterruptException if the thread is
	 * interrupted
	 */
	static boolean await(ThreadFactory threads, Supplier<? extends @Nullable Producer<?, ?>> client,
			OpenSends.Earlier sends, long deadline) {
		if (sends.isEmpty()) {
			return true;
		}
		ClientFlush flush = new ClientFlush(client);
		Thread thread = threads.newThread(flush);
		if (thread == null) {
			throw new IllegalStateException("The thread factory refused a thread");
		}
		thread.start();
		try {
			return sends.await(deadline);
		}
		finally {
			flush.stopped = true;
			thread.interrupt();
		}
	}

	/** What a flush says that has ended too early. */
	static void warnUnless(boolean ended) {
		if (!ended) {
			logger.warn("A flush has ended before the callbacks of all sends before it");
		}
	}

	@Override
	public void run() {
		while (!this.stopped) {
			Producer<?, ?> current = this.client.get();
			try {
				if (current != null) {
					current.flush();
				}
			}
			catch (KafkaException | IllegalStateException ex) {
				// Closed, replaced, or interrupted because nobody waits any more.
				logger.debug("A flush of the client ended early", ex);
			}
			if (!this.stopped) {
				LockSupport.parkNanos(this, PAUSE);
			}
		}
	}

}
