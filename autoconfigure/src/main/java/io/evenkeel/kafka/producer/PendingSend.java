package io.evenkeel.kafka.producer;

import java.lang.invoke.VarHandle;
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
 * <b>Why.</b> {@code handing} is written before the send enters its flight and cleared
 * when it has left it again, if the client did not take it, by the same thread, each time
 * as an ordered store. The I/O thread may see the old or the new value, and neither is
 * the I/O thread; whoever gives a client up looks until the call is over, and then finds
 * in flight only what the client has taken. There is one of these per record, and memory
 * is what a healthy send costs most: what only a waiting send needs is in an object of
 * its own.
 */
class PendingSend<K, V> extends CompletableFuture<RecordMetadata> implements Waiter<Diagnosis>, Callback, Completion {

	private static final Log logger = LogFactory.getLog(PendingSend.class);

	private static final int WAITING = 0;

	private static final int TAKEN = 1;

	private static final int ENDED = 2;

	@SuppressWarnings("rawtypes")
	private static final AtomicIntegerFieldUpdater<PendingSend> STATE = AtomicIntegerFieldUpdater
		.newUpdater(PendingSend.class, "state");

	@SuppressWarnings("rawtypes")
	private static final AtomicReferenceFieldUpdater<PendingSend, InFlight.Place> PLACE = AtomicReferenceFieldUpdater
		.newUpdater(PendingSend.class, InFlight.Place.class, "place");

	@SuppressWarnings("rawtypes")
	private static final AtomicReferenceFieldUpdater<PendingSend, Object> HANDING = AtomicReferenceFieldUpdater
		.newUpdater(PendingSend.class, Object.class, "handing");

	private final SendContext context;

	private ProducerRecord<K, V> record;

	private final @Nullable Callback callback;

	private final long startedAt;

	private final OpenSends.Round round;

	private volatile int state;

	/**
	 * Plain, between fences: an updater would look each time whether what it writes is a
	 * completion, and that is slow for interfaces.
	 */
	private @Nullable Completion next;

	/** Set by the sender before the send joins a line, together with the record. */
	private @Nullable Waiting<K, V> waiting;

	private volatile InFlight.@Nullable Place place;

	private int placeIndex;

	/** The thread that is in the call of the client, or the answer it got there. */
	private volatile @Nullable Object handing;

	/** A {@link RecordMetadata} or a {@link Failed}. */
	private @Nullable Object outcome;

	private long endedAt;

	/** Plain: one task for the completion thread begins after the other. */
	private boolean acknowledged;

	/** Plain: it counts only for the thread that it names, which wrote it itself. */
	private @Nullable Thread unaware;

	PendingSend(SendContext context, ProducerRecord<K, V> record, @Nullable Callback callback, long startedAt) {
		this(context, record, callback, startedAt, context.open().begin());
	}

	PendingSend(SendContext context, ProducerRecord<K, V> record, @Nullable Callback callback, long startedAt,
			OpenSends.Round round) {
		this.context = context;
		this.record = record;
		this.callback = callback;
		this.startedAt = startedAt;
		this.round = round;
	}

	/** The sends that the calling thread is busy with. */
	OpenSends.Frames frames() {
		return this.context.open().frames();
	}

	OpenSends.Round round() {
		return this.round;
	}

	ProducerRecord<K, V> record() {
		return this.record;
	}

	/** What the interceptors have made of it, before anybody else knows it. */
	void intercepted(ProducerRecord<K, V> record) {
		this.record = record;
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
		Waiting<K, V> current = this.waiting;
		return (current != null) ? current.size : 0;
	}

	@Override
	public long startedAt() {
		return this.startedAt;
	}

	@Override
	public int attemptsBefore() {
		Waiting<K, V> current = this.waiting;
		return (current != null) ? current.attemptsBefore : 0;
	}

	@Override
	public void attemptsBefore(int attempts) {
		waiting().attemptsBefore = attempts;
	}

	@Override
	public void attempts(int attempts) {
		waiting().attempts = attempts;
	}

	private Waiting<K, V> waiting() {
		Waiting<K, V> current = this.waiting;
		if (current == null) {
			throw new IllegalStateException("Does not wait");
		}
		return current;
	}

	/** Null once it has ended, and as long as it went straight to the client. */
	@Nullable Prepared<K, V> prepared() {
		Waiting<K, V> current = this.waiting;
		return (current != null) ? current.prepared : null;
	}

	/**
	 * It is about to wait, so that it must not depend on the caller any more.
	 * @param prepared the record with its bytes
	 * @param size what it occupies
	 * @param now the time, in milliseconds since the epoch
	 */
	void prepared(Prepared<K, V> prepared, long size, long now) {
		this.record = prepared.detach(this.record, now);
		this.waiting = new Waiting<>(prepared, size, this.startedAt);
	}

	@Override
	public boolean take() {
		return STATE.compareAndSet(this, WAITING, TAKEN);
	}

	/** Take it on the thread that made it, before anybody else knows it. */
	void takeUnseen() {
		STATE.lazySet(this, TAKEN);
	}

	@Override
	public void giveBack() {
		giveBackUnlessEnded();
	}

	/** Give it back; false if it was given up while it was taken. */
	boolean giveBackUnlessEnded() {
		return STATE.compareAndSet(this, TAKEN, WAITING);
	}

	@Override
	public boolean fail(LineEnd<Diagnosis> end) {
		if (!STATE.compareAndSet(this, WAITING, ENDED)) {
			return false;
		}
		ended((elapsed, now) -> this.context.failures().inLine(topic(), end, elapsed, now));
		return true;
	}

	/** End it as surely not handed over. */
	void failLocally(Diagnosis found, int attempts) {
		if (STATE.getAndSet(this, ENDED) != ENDED) {
			ended((elapsed, now) -> this.context.failures().local(topic(), found, elapsed, attempts, now));
		}
	}

	/** End it after a wait on the caller's thread. */
	void failWaited(Diagnosis found) {
		if (STATE.getAndSet(this, ENDED) != ENDED) {
			ended((elapsed, now) -> this.context.failures().waited(topic(), found, elapsed, now));
		}
	}

	/**
	 * End it because there was no room for it.
	 * @param found what there was no room in
	 * @param timedOut whether its sender was held for as long as he may be
	 */
	void failFull(Diagnosis found, boolean timedOut) {
		if (STATE.getAndSet(this, ENDED) != ENDED) {
			ended((elapsed, now) -> timedOut ? this.context.failures().waited(topic(), found, elapsed, now)
					: this.context.failures().full(topic(), found, elapsed, now));
		}
	}

	/** End it as possibly taken by the client; false if it has ended. */
	boolean failDelivery(Diagnosis found, boolean possiblySent) {
		return failDelivery(found, possiblySent, partition());
	}

	private boolean failDelivery(Diagnosis found, boolean possiblySent, int partition) {
		if (!STATE.compareAndSet(this, TAKEN, ENDED)) {
			return false;
		}
		ended(partition, (elapsed, now) -> this.context.failures()
			.delivery(topic(), found, possiblySent, elapsed, attempts(), now));
		return true;
	}

	private int attempts() {
		Waiting<K, V> current = this.waiting;
		return (current != null) ? current.attempts : 1;
	}

	/** Its place among the sends that the client has in hand. */
	void inFlight(InFlight.Place place, int index, long now) {
		this.placeIndex = index;
		Waiting<K, V> current = this.waiting;
		if (current != null) {
			current.handedAt = now;
		}
		PLACE.lazySet(this, place);
	}

	/** Whether it is neither with the client yet nor ended. */
	boolean isHeldBack() {
		return this.state != ENDED && this.place == null;
	}

	boolean isInFlight() {
		return this.place != null;
	}

	/** Whether it is among what one client has in hand; it may be with the next one. */
	boolean isIn(InFlight flight) {
		InFlight.Place current = this.place;
		return current != null && current.flight() == flight;
	}

	long handedAt() {
		Waiting<K, V> current = this.waiting;
		return (current != null) ? current.handedAt : this.startedAt;
	}

	/** The client is done with it, or did not take it. */
	void leaveFlight() {
		InFlight.Place current = this.place;
		if (current != null) {
			PLACE.lazySet(this, null);
			current.leave(this.placeIndex);
		}
	}

	/** End it because the client should have ended it by now; false if it has. */
	boolean expire() {
		return abandon(new Diagnosis(FailureReason.DELIVERY_TIMEOUT, "the client did not end it", null));
	}

	/** Whether some thread is in the call that hands it to the client. */
	boolean isBeingHanded() {
		return this.handing != null;
	}

	/** End it because the client will not; false if it has. */
	boolean abandon(Diagnosis found) {
		return failDelivery(found, true);
	}

	/**
	 * From here to {@link #handed} the client's failures are answers to the call. First
	 * of all it is written, and cleared last of all: whoever finds the send in flight and
	 * not marked must know that the client has it.
	 */
	void handing() {
		HANDING.lazySet(this, Thread.currentThread());
	}

	/**
	 * The call to the client is over.
	 * @param thrown whether it has thrown, so that the client has not taken the record
	 * @return what the client answered, or null if it has not
	 */
	@Nullable Exception handed(boolean thrown) {
		Exception answer = (this.handing instanceof Exception exception) ? exception : null;
		if (thrown || answer != null) {
			leaveFlight();
		}
		HANDING.lazySet(this, null);
		return answer;
	}

	@Override
	public void onCompletion(@Nullable RecordMetadata metadata, @Nullable Exception exception) {
		if (exception != null && this.handing == Thread.currentThread()) {
			HANDING.lazySet(this, exception);
			return;
		}
		InFlight.Place current = this.place;
		InFlight flight = (current != null) ? current.flight() : null;
		leaveFlight();
		this.context.outcomes().completed(exception == null, flight);
		if (exception != null) {
			Diagnosis found = this.context.outcomes().failed(exception, this.startedAt, flight);
			failDelivery(found, this.context.outcomes().possiblyStored(found.reason(), topic(), flight),
					(metadata != null) ? metadata.partition() : partition());
		}
		else if (STATE.getAndSet(this, ENDED) != ENDED) {
			this.outcome = metadata;
			if (this.context.observer().isActive()) {
				this.endedAt = this.context.clock().getAsLong();
			}
			ended();
		}
	}

	private void ended(FailureSource source) {
		ended(partition(), source);
	}

	private void ended(int partition, FailureSource source) {
		this.outcome = new Failed(source, partition);
		this.endedAt = this.context.clock().getAsLong();
		ended();
	}

	private void ended() {
		Waiting<K, V> current = this.waiting;
		if (current != null) {
			current.prepared = null;
		}
		tellEnd();
	}

	/** Have the user's code run, now that the end is known. */
	void tellEnd() {
		if (!this.context.interceptors().isEmpty()) {
			// A task of its own: an interceptor that does not come back holds no future.
			this.context.completions().execute(new Acknowledgement(this));
		}
		this.context.completions().execute(this);
	}

	@Override
	public void run() {
		OpenSends.Frames frames = frames();
		frames.enter(this);
		try {
			runEntered();
		}
		finally {
			frames.exit();
		}
	}

	/** The same on a thread that is known to be busy with this send. */
	void runEntered() {
		try {
			tellAndComplete();
		}
		finally {
			this.context.open().end(this.round);
		}
	}

	private void tellAndComplete() {
		SendFailedException failure = failure();
		RecordMetadata metadata = metadata();
		beforeTelling(failure);
		tell(metadata, failure, this.endedAt - this.startedAt);
		if (failure != null) {
			completeExceptionally(failure);
		}
		else {
			complete(metadata);
		}
	}

	private @Nullable SendFailedException failure() {
		return (this.outcome instanceof Failed failed) ? failed.make(this.endedAt - this.startedAt, this.endedAt)
				: null;
	}

	private RecordMetadata metadata() {
		if (this.outcome instanceof RecordMetadata known) {
			return known;
		}
		int partition = (this.outcome instanceof Failed failed) ? failed.partition : partition();
		return new RecordMetadata(new TopicPartition(topic(), partition), -1, -1, -1, -1, -1);
	}

	/** Tell the interceptors, unless they have been told, or are being. */
	private void acknowledge() {
		if (!this.acknowledged && !this.context.interceptors().isEmpty()) {
			this.acknowledged = true;
			this.context.interceptors().onAcknowledgement(metadata(), failure(), this.record.headers());
		}
	}

	/** Its end is known, and the user will be told. */
	void beforeTelling(@Nullable SendFailedException failure) {
	}

	/** Nothing that throws here keeps the future from its end. */
	private void tell(RecordMetadata metadata, @Nullable SendFailedException failure, long elapsed) {
		if (this.context.observer().isActive()) {
			this.context.observer().completed(topic(), (failure != null) ? failure.getReason() : null, elapsed);
		}
		acknowledge();
		if (this.callback == null) {
			return;
		}
		try {
			this.callback.onCompletion(metadata, failure);
		}
		catch (RuntimeException | Error ex) {
			logger.error("A callback of a send to topic '" + TopicNames.printable(topic()) + "' threw", ex);
		}
	}

	@Override
	public @Nullable Completion next() {
		Completion next = this.next;
		VarHandle.acquireFence();
		return next;
	}

	@Override
	public void next(@Nullable Completion next) {
		VarHandle.releaseFence();
		this.next = next;
	}

	/**
	 * The send call is about to return without having reached the client.
	 */
	void returnedUnsent() {
		this.unaware = Thread.currentThread();
	}

	/**
	 * The stock template looks right after its call, and throws a failure that it finds;
	 * so whoever has just sent finds the failure with his second look.
	 */
	@Override
	public boolean isDone() {
		if (this.unaware == Thread.currentThread()) {
			this.unaware = null;
			return false;
		}
		return super.isDone();
	}

	@Override
	public boolean cancel(boolean mayInterruptIfRunning) {
		return false;
	}

	/**
	 * Makes the exception of a failed send. It is called on the completion thread: ten
	 * thousand records that fail together must not hold the thread that fails them.
	 */
	private interface FailureSource {

		SendFailedException make(long elapsed, long now);

	}

	/**
	 * How a failed send ended. What two tasks are told is one exception.
	 */
	private static final class Failed {

		private final FailureSource source;

		private final int partition;

		private @Nullable SendFailedException made;

		Failed(FailureSource source, int partition) {
			this.source = source;
			this.partition = partition;
		}

		SendFailedException make(long elapsed, long now) {
			SendFailedException known = this.made;
			if (known == null) {
				known = this.source.make(elapsed, now);
				this.made = known;
			}
			return known;
		}

	}

	/**
	 * Tells the interceptors of the end of a send.
	 */
	private static final class Acknowledgement implements Completion {

		private final PendingSend<?, ?> send;

		private volatile @Nullable Completion next;

		Acknowledgement(PendingSend<?, ?> send) {
			this.send = send;
		}

		@Override
		public void run() {
			OpenSends.Frames frames = this.send.frames();
			frames.enter(this.send);
			try {
				this.send.acknowledge();
			}
			finally {
				frames.exit();
			}
		}

		@Override
		public @Nullable Completion next() {
			return this.next;
		}

		@Override
		public void next(@Nullable Completion next) {
			this.next = next;
		}

	}

	/**
	 * What only a send needs that waits.
	 */
	private static final class Waiting<K, V> {

		/**
		 * Kept beyond the bytes: the line gives this share back after the record has
		 * ended.
		 */
		private final long size;

		private volatile @Nullable Prepared<K, V> prepared;

		private int attemptsBefore;

		private int attempts = 1;

		private long handedAt;

		Waiting(Prepared<K, V> prepared, long size, long startedAt) {
			this.prepared = prepared;
			this.size = size;
			// A sweep may still look at it as what it was: on the straight way.
			this.handedAt = startedAt;
		}

	}

}
