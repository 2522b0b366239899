package io.evenkeel.kafka.producer;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicIntegerFieldUpdater;
import java.util.concurrent.atomic.AtomicReferenceFieldUpdater;

import io.evenkeel.kafka.producer.line.LineEnd;
import io.evenkeel.kafka.producer.line.Waiter;
import org.apache.commons.logging.Log;
import org.apache.commons.logging.LogFactory;
import org.apache.kafka.clients.producer.Callback;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.jspecify.annotations.Nullable;

/**
 * One send, from the call to the completion: the future the caller gets, the callback the
 * client gets, the waiter the lines get and the task the completion thread gets, in one
 * object because there is one per record.
 * <p>
 * <b>Threading.</b> The state moves by compare-and-set: waiting, taken, ended. The caller
 * or the scheduler takes it, whoever ends it writes the result first and then hands this
 * object to the completion thread, which runs user code.
 * <p>
 * <b>Invariants.</b> (1) It ends once. (2) User code runs on the completion thread only:
 * first the callback, then the future's continuations, as with the client. (3) A failure
 * that the client reports inside of the call to it, on the very thread that calls, is not
 * an end but an answer to that call.
 * <p>
 * <b>Why.</b> {@code handingThread} is plain: it is written before the client is called
 * and cleared after, by the same thread. The I/O thread may see the old or the new value,
 * and neither is the I/O thread.
 */
final class PendingSend<K, V> extends CompletableFuture<RecordMetadata>
		implements Waiter<Diagnosis>, Callback, Completion {

	private static final Log logger = LogFactory.getLog(PendingSend.class);

	private static final int WAITING = 0;

	private static final int TAKEN = 1;

	private static final int ENDED = 2;

	@SuppressWarnings("rawtypes")
	private static final AtomicIntegerFieldUpdater<PendingSend> STATE = AtomicIntegerFieldUpdater
		.newUpdater(PendingSend.class, "state");

	@SuppressWarnings("rawtypes")
	private static final AtomicReferenceFieldUpdater<PendingSend, Completion> NEXT = AtomicReferenceFieldUpdater
		.newUpdater(PendingSend.class, Completion.class, "next");

	private final SendContext context;

	private ProducerRecord<K, V> record;

	private final @Nullable Callback callback;

	private final long startedAt;

	@SuppressWarnings("UnusedVariable") // through its updater
	private volatile int state;

	private volatile @Nullable Completion next;

	private @Nullable Serialized serialized;

	private int attemptsBefore;

	private @Nullable Thread handingThread;

	private @Nullable Exception answer;

	private @Nullable RecordMetadata result;

	private @Nullable SendFailedException failure;

	PendingSend(SendContext context, ProducerRecord<K, V> record, @Nullable Callback callback, long startedAt) {
		this.context = context;
		this.record = record;
		this.callback = callback;
		this.startedAt = startedAt;
	}

	ProducerRecord<K, V> record() {
		return this.record;
	}

	/**
	 * After the client refused the record it has made the headers read-only; a copy can
	 * be serialized and offered again.
	 */
	void thawHeaders() {
		ProducerRecord<K, V> old = this.record;
		this.record = new ProducerRecord<>(old.topic(), old.partition(), old.timestamp(), old.key(), old.value(),
				new RecordHeaders(old.headers()));
	}

	@Override
	public String topic() {
		return this.record.topic();
	}

	@Override
	public int partition() {
		Integer partition = this.record.partition();
		return (partition != null) ? partition : -1;
	}

	@Override
	public long bytes() {
		return (this.serialized != null) ? this.serialized.size() : 0;
	}

	@Override
	public long startedAt() {
		return this.startedAt;
	}

	@Override
	public int attemptsBefore() {
		return this.attemptsBefore;
	}

	@Override
	public void attemptsBefore(int attempts) {
		this.attemptsBefore = attempts;
	}

	@Nullable Serialized serialized() {
		return this.serialized;
	}

	void serialized(Serialized serialized) {
		this.serialized = serialized;
	}

	@Override
	public boolean take() {
		return STATE.compareAndSet(this, WAITING, TAKEN);
	}

	@Override
	public void giveBack() {
		STATE.compareAndSet(this, TAKEN, WAITING);
	}

	@Override
	public boolean fail(LineEnd<Diagnosis> end) {
		if (!STATE.compareAndSet(this, WAITING, ENDED)) {
			return false;
		}
		long now = this.context.clock().getAsLong();
		end(null, this.context.failures().inLine(topic(), end, now - this.startedAt, now), now);
		return true;
	}

	/** End it as surely not handed over. */
	void failLocally(Diagnosis found, int attempts) {
		if (STATE.getAndSet(this, ENDED) != ENDED) {
			long now = this.context.clock().getAsLong();
			end(null, this.context.failures().local(topic(), found, now - this.startedAt, attempts, now), now);
		}
	}

	/** End it after a wait on the caller's thread. */
	void failWaited(Diagnosis found) {
		if (STATE.getAndSet(this, ENDED) != ENDED) {
			long now = this.context.clock().getAsLong();
			end(null, this.context.failures().waited(topic(), found, now - this.startedAt, now), now);
		}
	}

	/** End it as possibly taken by the client. */
	void failDelivery(Diagnosis found, boolean possiblySent) {
		if (STATE.getAndSet(this, ENDED) != ENDED) {
			long now = this.context.clock().getAsLong();
			end(null, this.context.failures().delivery(topic(), found, possiblySent, now - this.startedAt, 1, now),
					now);
		}
	}

	/** From here to {@link #handed()} the client's failures are answers to the call. */
	void handing() {
		this.answer = null;
		this.handingThread = Thread.currentThread();
	}

	/**
	 * The call to the client is over: what it answered, or null if it took the record.
	 */
	@Nullable Exception handed() {
		this.handingThread = null;
		return this.answer;
	}

	@Override
	public void onCompletion(@Nullable RecordMetadata metadata, @Nullable Exception exception) {
		if (exception != null && this.handingThread == Thread.currentThread()) {
			this.answer = exception;
			return;
		}
		this.context.outcomes().completed(exception == null);
		if (exception != null) {
			Diagnosis found = this.context.outcomes().failed(exception);
			failDelivery(found, Diagnoser.possiblyStored(found.reason()));
		}
		else if (STATE.getAndSet(this, ENDED) != ENDED) {
			end(metadata, null, this.context.observer().isActive() ? this.context.clock().getAsLong() : 0);
		}
	}

	private void end(@Nullable RecordMetadata metadata, @Nullable SendFailedException exception, long now) {
		this.result = metadata;
		this.failure = exception;
		this.serialized = null;
		if (this.context.observer().isActive()) {
			this.context.observer()
				.completed(topic(), (exception != null) ? exception.getReason() : null, now - this.startedAt);
		}
		this.context.completions().execute(this);
	}

	@Override
	public void run() {
		RecordMetadata metadata = (this.result != null) ? this.result
				: new RecordMetadata(new TopicPartition(topic(), partition()), -1, -1, -1, -1, -1);
		if (this.callback != null) {
			try {
				this.callback.onCompletion(metadata, this.failure);
			}
			catch (RuntimeException | Error ex) {
				logger.error("A callback of a send to topic '" + topic() + "' threw", ex);
			}
		}
		if (this.failure != null) {
			completeExceptionally(this.failure);
		}
		else {
			complete(metadata);
		}
	}

	@Override
	public @Nullable Completion next() {
		return this.next;
	}

	@Override
	public void next(Completion next) {
		NEXT.lazySet(this, next);
	}

	@Override
	public boolean cancel(boolean mayInterruptIfRunning) {
		return false;
	}

	/**
	 * A record as it will go over the wire.
	 *
	 * @param key the key's bytes
	 * @param value the value's bytes
	 * @param size what it occupies
	 */
	@SuppressWarnings("ArrayRecordComponent")
	record Serialized(byte @Nullable [] key, byte @Nullable [] value, long size) {

	}

}
