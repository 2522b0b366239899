package io.evenkeel.kafka.container.setup;

import java.time.Duration;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import java.util.function.Supplier;

import io.evenkeel.kafka.container.listener.ListenerContext;
import io.evenkeel.kafka.thread.OwnThreads;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.core.task.AsyncTaskExecutor;
import org.springframework.kafka.listener.AbstractConsumerSeekAware;
import org.springframework.kafka.listener.ConsumerSeekAware;
import org.springframework.kafka.listener.ConsumerSeekAware.ConsumerSeekCallback;
import org.springframework.kafka.support.KafkaUtils;

/**
 * The threads of a listener's workers: those of the container's task executor when there
 * is one (Boot's virtual threads come this way), otherwise threads named after the
 * listener. spring-kafka knows the group of a call and its seek callback by the thread,
 * and so may the application.
 *
 * <h2>Threading</h2> A worker is asked for by whoever has just made work: the owner,
 * another worker, or a thread of the application that has completed a future. Nothing of
 * that thread may be seen by the records to come.
 */
final class WorkerThreads implements Consumer<Runnable> {

	private static final Logger logger = LoggerFactory.getLogger(WorkerThreads.class);

	/** Executors answer at once; one that makes its caller wait is not waited for. */
	private static final Duration HAND_OVER = Duration.ofSeconds(1);

	private final String id;

	/** Null when the threads keep the names they have. */
	private final @Nullable Supplier<String> name;

	private final @Nullable String groupId;

	private final @Nullable ClassLoader loader;

	private final @Nullable AsyncTaskExecutor executor;

	private final @Nullable ConsumerSeekAware seekAware;

	private final ConsumerSeekCallback seeks;

	private final AtomicInteger number = new AtomicInteger();

	WorkerThreads(ListenerContext context, @Nullable ConsumerSeekAware seekAware, ConsumerSeekCallback seeks) {
		this.id = context.id();
		this.name = context.namesThreads() ? context::threadName : null;
		this.groupId = context.groupId();
		this.loader = context.classLoader();
		this.executor = context.properties().getListenerTaskExecutor();
		this.seekAware = seekAware;
		this.seeks = seeks;
	}

	@Override
	public void accept(Runnable work) {
		AsyncTaskExecutor known = this.executor;
		if (known != null) {
			handOver(known, work);
		}
		else {
			OwnThreads.worker(this.id + "-worker-" + this.number.incrementAndGet(), this.loader, () -> run(work))
				.start();
		}
	}

	/**
	 * A thread that an executor makes inherits from whoever calls it, so that is a thread
	 * which has nothing to give away.
	 */
	private void handOver(AsyncTaskExecutor known, Runnable work) {
		AtomicReference<@Nullable Throwable> refused = new AtomicReference<>();
		Thread caller = OwnThreads.daemon(this.id + "-hand-over", this.loader, () -> {
			try {
				known.execute(() -> run(work));
			}
			catch (Throwable ex) {
				refused.set(ex);
			}
		});
		caller.start();
		try {
			caller.join(HAND_OVER.toMillis());
		}
		catch (InterruptedException ex) {
			// It is on its way; the interrupt is meant for whoever we interrupt.
			Thread.currentThread().interrupt();
		}
		Throwable why = refused.get();
		if (why != null) {
			throw new RejectedExecutionException("The task executor of " + this.id + " refused a worker", why);
		}
	}

	private void run(Runnable work) {
		KafkaUtils.setConsumerGroupId(this.groupId);
		Thread worker = Thread.currentThread();
		String before = worker.getName();
		rename(worker);
		register();
		try {
			work.run();
		}
		finally {
			worker.setName(before);
			unregister();
			KafkaUtils.clearConsumerGroupId();
		}
	}

	/** The listener runs here: it is this thread that its log lines name. */
	private void rename(Thread worker) {
		if (this.name != null) {
			try {
				worker.setName(this.name.get());
			}
			catch (RuntimeException ex) {
				logger.error("{}: the supplier of thread names failed", this.id, ex);
			}
		}
	}

	private void register() {
		if (this.seekAware != null) {
			try {
				this.seekAware.registerSeekCallback(this.seeks);
			}
			catch (RuntimeException ex) {
				logger.error("{}: the ConsumerSeekAware failed", this.id, ex);
			}
		}
	}

	/**
	 * Workers come and go while the container runs: one that keeps a single callback must
	 * not lose it with the first of them. The one that keeps them by thread must not keep
	 * threads that are gone.
	 */
	private void unregister() {
		if (this.seekAware instanceof AbstractConsumerSeekAware byThread) {
			try {
				byThread.unregisterSeekCallback();
			}
			catch (RuntimeException ex) {
				logger.error("{}: the ConsumerSeekAware failed", this.id, ex);
			}
		}
	}

}
