package io.evenkeel.kafka.producer;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

import io.evenkeel.kafka.producer.ProducerSnapshot.State;
import io.evenkeel.kafka.producer.line.LineWorker;
import org.apache.commons.logging.Log;
import org.apache.commons.logging.LogFactory;
import org.apache.kafka.clients.consumer.ConsumerGroupMetadata;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.BufferExhaustedException;
import org.apache.kafka.clients.producer.Callback;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.AuthenticationException;
import org.apache.kafka.common.errors.InterruptException;
import org.apache.kafka.common.errors.ProducerFencedException;
import org.apache.kafka.common.errors.SerializationException;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.errors.TransactionAbortedException;
import org.jspecify.annotations.Nullable;

/**
 * A producer inside transactions. A send waits for its topic, at most for the metadata
 * timeout, and when it cannot be handed over its future has failed when the call returns.
 * <p>
 * <b>Threading.</b> Any thread sends; one begins and ends transactions, as spring-kafka
 * binds it. Callbacks run on a completion thread, those of a failure that is found inside
 * of the call on the caller's. <b>Invariant.</b> A transaction with a failed send is not
 * committed: the commit aborts it and says which send it was. <b>Why.</b> The commit is
 * the acknowledgment, and the client knows only of the sends that it has taken. The wait
 * is the client's own, {@code max.block.ms}: without it a transaction could not begin.
 */
final class TransactionalProducer<K, V> extends DelegatingProducer<K, V> implements ManagedProducer {

	private static final Log logger = LogFactory.getLog(TransactionalProducer.class);

	/** What the callbacks of records get that only fail when the time is up. */
	private static final long LAST_CALLBACKS = TimeUnit.MILLISECONDS.toNanos(300);

	private final Client<K, V> client;

	private final UserCode<K, V> userCode;

	private final ClusterEvidence evidence;

	private final ProducerRuntime runtime;

	private final LineWorker timer;

	private final TopicLook look;

	private final CompletionThread completions;

	private final OpenSends open;

	private final SendContext context;

	private final ProducerSettings settings;

	private final String id;

	private final ProducerRegistry registry;

	private final StandingProducer.Closer closer;

	private final SendObserver observer;

	/** The one that is under way. */
	private volatile @Nullable Transaction transaction;

	private volatile boolean abortedByCommit;

	private volatile boolean closed;

	TransactionalProducer(Client<K, V> client, ClusterEvidence evidence, Failures failures, ProducerRuntime runtime,
			String id, ProducerSettings settings, ProducerRegistry registry, UserCode<K, V> userCode,
			StandingProducer.Closer closer) {
		super(client.producer());
		this.id = id;
		this.userCode = userCode;
		this.closer = closer;
		this.client = client;
		this.registry = registry;
		this.runtime = runtime;
		this.evidence = evidence;
		this.completions = new CompletionThread(runtime.named("evenkeel-completions-" + id), runtime);
		this.observer = registry.added(this);
		this.open = new OpenSends(runtime.clock());
		this.context = new SendContext(runtime.clock(), failures, this.completions, this.open, this.observer,
				new ClientOutcomes(), userCode.interceptors());
		this.settings = settings;
		this.look = new TopicLook(client.producer(), evidence, runtime);
		// Nothing replaces a client in the middle of a transaction: whoever commits finds
		// out.
		DeliveryWatch deliveries = new DeliveryWatch(id, client::inFlight, runtime.clock(), () -> {
		});
		this.timer = new LineWorker(runtime.named("evenkeel-timer-" + id), deliveries::doWork,
				(ex) -> logger.error(id + ": a turn of the timer failed", ex));
		this.timer.start();
	}

	@Override
	public Future<RecordMetadata> send(ProducerRecord<K, V> record) {
		return send(record, null);
	}

	@Override
	public Future<RecordMetadata> send(ProducerRecord<K, V> record, @Nullable Callback callback) {
		Transaction current = this.transaction;
		if (current == null) {
			throw new IllegalStateException(
					this.id + ": no transaction is under way" + (this.closed ? ", the producer was closed" : ""));
		}
		current.joinSurrounding(this);
		long startedAt = this.context.clock().getAsLong();
		ProducerRecord<K, V> intercepted = this.userCode.interceptors().onSend(DeliveryAttempts.without(record));
		TransactionalSend<K, V> send = new TransactionalSend<>(this.context,
				(intercepted != null) ? intercepted : record, callback, startedAt, current);
		send.takeUnseen();
		OpenSends.Frames frames = this.open.frames();
		frames.enter(send);
		try {
			if (intercepted == null) {
				send.failLocally(Interceptors.returnedNothing(), 0);
			}
			else if (!TopicNames.isValid(send.topic())) {
				send.failLocally(new Diagnosis(FailureReason.INVALID_TOPIC, "not a valid name for a topic", null), 0);
			}
			else {
				lookAndOffer(send);
			}
		}
		finally {
			frames.exit();
			send.returned();
		}
		if (this.observer.isActive()) {
			this.observer.returned(this.context.clock().getAsLong() - send.startedAt());
		}
		return send;
	}

	private void lookAndOffer(PendingSend<K, V> send) {
		Diagnosis obstacle = lookFor(send);
		if (obstacle == null) {
			offer(send);
			return;
		}
		if (obstacle.reason() == FailureReason.PARTITION_NOT_FOUND) {
			offerToNewPartition(send);
			return;
		}
		this.evidence.found(obstacle.reason(), send.startedAt(), this.context.clock().getAsLong());
		send.failWaited(obstacle);
	}

	/** What keeps the record from being sent; found without touching the transaction. */
	private @Nullable Diagnosis lookFor(PendingSend<K, V> send) {
		try {
			int partitions = this.look.partitions(send.topic(), this.settings.topic(send.topic()));
			return (send.partition() < partitions) ? null : new Diagnosis(FailureReason.PARTITION_NOT_FOUND,
					"the topic has no partition " + send.partition(), null);
		}
		catch (AuthenticationException ex) {
			this.evidence.refused(ex, this.context.clock().getAsLong());
			return Diagnoser.classify(ex);
		}
		catch (TimeoutException ex) {
			Throwable said = ex.getCause();
			Diagnosis found = (said != null) ? Diagnoser.classify(said) : null;
			boolean telling = found != null && found.reason() == FailureReason.NOT_AUTHORIZED
					&& this.evidence.answeredSince(send.startedAt());
			return (found != null && telling) ? found : explain(send, (said != null) ? said : ex);
		}
		catch (InterruptException ex) {
			return new Diagnosis(FailureReason.UNKNOWN, "the sending thread was interrupted", ex);
		}
		catch (IllegalStateException ex) {
			return new Diagnosis(FailureReason.CLOSED, "the client was closed", ex);
		}
		catch (KafkaException ex) {
			return Diagnoser.classifyThrown(ex);
		}
	}

	private Diagnosis explain(PendingSend<K, V> send, Throwable said) {
		Diagnosis found = this.evidence.explain(-1, send.startedAt(), this.context.clock().getAsLong(), delegate());
		return (found.cause() != null) ? found : new Diagnosis(found.reason(), found.detail(), said);
	}

	private void offer(PendingSend<K, V> send) {
		conclude(send, handOver(send));
	}

	private Handed handOver(PendingSend<K, V> send) {
		Throwable thrown = null;
		send.handing();
		this.client.inFlight().add(send, this.context.clock().getAsLong());
		try {
			delegate().send(send.record(), send);
		}
		catch (RuntimeException | Error ex) {
			thrown = ex;
		}
		return new Handed(thrown, send.handed(thrown != null));
	}

	/** Serializers run on the caller's thread; there is no partitioner to ask. */
	private void offerToNewPartition(PendingSend<K, V> send) {
		ProducerRecord<K, V> record = send.record();
		Prepared<K, V> prepared = new Prepared<>(record);
		try {
			offering(prepared, () -> {
				this.client.keySerializer().serialize(record.topic(), record.headers(), record.key());
				return this.client.valueSerializer().serialize(record.topic(), record.headers(), record.value());
			});
		}
		catch (SerializationException ex) {
			send.failLocally(Diagnoser.classify(ex), 0);
			return;
		}
		long limit = this.settings.topic(send.topic()).unknownTopicLimit().toNanos();
		Handed handed = NewPartition.handOver(this.runtime.named("evenkeel-look"),
				() -> offering(prepared, () -> handOver(send)), limit);
		if (handed == null) {
			send.failDelivery(new Diagnosis(FailureReason.UNKNOWN, "the client did not answer", null), true);
		}
		else if (handed.answer() instanceof TimeoutException && !(handed.answer() instanceof BufferExhaustedException)
				|| handed.thrown() instanceof InterruptException && !Thread.currentThread().isInterrupted()) {
			send.failWaited(this.evidence.explain(send.partition(), send.startedAt(), this.context.clock().getAsLong(),
					delegate()));
		}
		else {
			conclude(send, handed);
		}
	}

	private <T> T offering(Prepared<K, V> prepared, Supplier<T> call) {
		Prepared<?, ?> outer = this.userCode.offering(prepared);
		try {
			return call.get();
		}
		finally {
			this.userCode.offering(outer);
		}
	}

	private void conclude(PendingSend<K, V> send, Handed handed) {
		Throwable thrown = handed.thrown();
		Exception answer = handed.answer();
		if (thrown instanceof InterruptException) {
			send.failLocally(new Diagnosis(FailureReason.UNKNOWN, "the sending thread was interrupted", thrown), 1);
		}
		else if (thrown instanceof IllegalStateException) {
			send.failLocally(new Diagnosis(FailureReason.CLOSED, "the client was closed or has no transaction", thrown),
					1);
		}
		else if (thrown != null && (thrown instanceof Error || Diagnoser.isFatal(thrown))) {
			send.failDelivery(Diagnoser.classifyThrown(thrown), true);
		}
		else if (thrown != null) {
			send.failLocally(Diagnoser.classify(thrown), 1);
		}
		else if (answer instanceof TimeoutException && !(answer instanceof BufferExhaustedException)) {
			send.failWaited(explain(send, (answer.getCause() != null) ? answer.getCause() : answer));
		}
		else if (answer != null) {
			Diagnosis found = Diagnoser.classify(answer);
			if (found.reason() == FailureReason.BUFFER_FULL) {
				send.failWaited(found);
			}
			else {
				send.failLocally(found, 1);
			}
		}
	}

	@Override
	public void flush() {
		ClientFlush.warnUnless(ClientFlush.await(this.runtime.named("evenkeel-flush-" + this.id), this::delegate,
				this.open.earlier(), deadline()));
	}

	/** When everything that was sent until now has ended. */
	private long deadline() {
		return this.context.clock().getAsLong() + this.settings.longestDeadline().toNanos();
	}

	@Override
	public void beginTransaction() {
		super.beginTransaction();
		this.transaction = new Transaction();
		this.abortedByCommit = false;
	}

	@Override
	public void sendOffsetsToTransaction(Map<TopicPartition, OffsetAndMetadata> offsets,
			ConsumerGroupMetadata groupMetadata) {
		Transaction current = this.transaction;
		SendFailedException failure = (current != null) ? current.failure() : null;
		if (failure != null) {
			throw describe(failure);
		}
		super.sendOffsetsToTransaction(offsets, groupMetadata);
	}

	/**
	 * As with the stock client, futures are complete when the commit returns.
	 * @throws KafkaException if it was not committed; when a send is to blame, that one's
	 * {@link SendFailedException} is the cause and the transaction has been aborted
	 */
	@Override
	public void commitTransaction() {
		Transaction current = this.transaction;
		SendFailedException failure = (current != null) ? current.failure() : null;
		if (current != null && failure != null && failure.getReason() != FailureReason.FENCED) {
			throw aborted(failure);
		}
		try {
			super.commitTransaction();
			this.transaction = null;
			this.open.earlier().await(deadline());
		}
		catch (KafkaException ex) {
			throw (current != null && isAbortable(ex)) ? aborted(current, ex) : ex;
		}
	}

	/** Whether all that is left is to abort: neither to try again nor too late. */
	private static boolean isAbortable(KafkaException exception) {
		return !(exception instanceof TimeoutException || exception instanceof InterruptException
				|| exception instanceof ProducerFencedException || exception instanceof AuthenticationException);
	}

	/** The client refuses to commit; when a send is to blame it has ended after this. */
	private KafkaException aborted(Transaction current, KafkaException refusal) {
		current.refused(refusal);
		abortBecauseOf(refusal);
		SendFailedException failure = current.failure();
		boolean toBlame = failure != null && !(failure.getCause() instanceof TransactionAbortedException);
		return (failure != null && toBlame) ? describe(failure) : refusal;
	}

	private KafkaException aborted(SendFailedException failure) {
		KafkaException result = describe(failure);
		abortBecauseOf(result);
		return result;
	}

	private static KafkaException describe(SendFailedException failure) {
		return new KafkaException(
				"Nothing is committed because a send in the transaction failed: " + failure.getMessage(), failure);
	}

	private void abortBecauseOf(KafkaException cause) {
		try {
			abortTransaction();
			this.abortedByCommit = true;
		}
		catch (RuntimeException ex) {
			cause.addSuppressed(ex);
		}
	}

	/**
	 * A transaction that the commit has aborted need not be aborted again, but may: that
	 * is what one does with the stock client.
	 */
	@Override
	public void abortTransaction() {
		if (this.abortedByCommit) {
			return;
		}
		super.abortTransaction();
		this.transaction = null;
		this.open.earlier().await(deadline());
	}

	/**
	 * Refuse the commit of a transaction that surrounds one of this producer's.
	 * @param checked the one that it surrounds
	 * @throws KafkaException if a send of it has failed
	 */
	void checkBeforeCommit(Transaction checked) {
		if (checked != this.transaction) {
			return;
		}
		if (checked.failure() == null && checked.isUnfinished()) {
			flush();
		}
		SendFailedException failure = checked.failure();
		if (failure != null) {
			throw describe(failure);
		}
	}

	@Override
	public void close() {
		close(this.settings.shutdownTimeout());
	}

	@Override
	public void close(Duration timeout) {
		if (this.closed) {
			return;
		}
		this.closed = true;
		this.closer.close(this.id, () -> end(timeout));
	}

	private void end(Duration timeout) {
		try {
			Duration limit = this.settings.shutdownTimeout();
			this.client.end(this.runtime.named("evenkeel-close-" + this.id),
					(timeout.compareTo(limit) < 0) ? timeout : limit,
					new Diagnosis(FailureReason.CLOSED, "the producer was closed", null));
		}
		finally {
			this.timer.stop();
			this.open.earlier().await(this.context.clock().getAsLong() + LAST_CALLBACKS);
			this.completions.close();
			this.userCode.close();
			this.client.closeSerializers();
			this.registry.removed(this);
		}
	}

	@Override
	public String id() {
		return this.id;
	}

	@Override
	public ProducerSnapshot snapshot() {
		State state = this.closed ? State.CLOSED : State.RUNNING;
		ClusterEvidence.Trouble trouble = this.evidence.standingTrouble();
		long troubled = (trouble != null) ? this.context.clock().getAsLong() - trouble.since() : 0;
		return new ProducerSnapshot(this.id, state, 0, 0, List.of(), (trouble != null) ? trouble.reason() : null,
				TimeUnit.NANOSECONDS.toMillis(troubled));
	}

	@Override
	public long pendingRecords() {
		return 0;
	}

	@Override
	public long pendingBytes() {
		return 0;
	}

	@Override
	public double metadataAgeSeconds() {
		return this.evidence.silentNanos(this.context.clock().getAsLong()) / (double) TimeUnit.SECONDS.toNanos(1);
	}

	private final class ClientOutcomes implements SendContext.Outcomes {

		@Override
		public void completed(boolean success, @Nullable InFlight flight) {
			if (success) {
				TransactionalProducer.this.evidence.delivered();
			}
		}

		@Override
		public Diagnosis failed(Exception exception, long startedAt, @Nullable InFlight flight) {
			if (exception instanceof TransactionAbortedException) {
				return abortedWith(exception);
			}
			Diagnosis found = Diagnoser.classify(exception);
			TransactionalProducer.this.evidence.undelivered(found.reason(), startedAt,
					TransactionalProducer.this.context.clock().getAsLong());
			boolean ended = TransactionalProducer.this.closed && found.reason() == FailureReason.UNKNOWN;
			return ended ? new Diagnosis(FailureReason.CLOSED, "the producer was closed", exception) : found;
		}

		@Override
		public boolean possiblyStored(FailureReason reason, String topic, @Nullable InFlight flight) {
			return !Diagnoser.isRefusal(reason) || TransactionalProducer.this.client.mayHaveRetried(topic);
		}

		/** The client says only that it was aborted, not what made it abort. */
		private Diagnosis abortedWith(Exception exception) {
			Transaction current = TransactionalProducer.this.transaction;
			KafkaException refusal = (current != null) ? current.refusal() : null;
			Diagnosis found = (refusal != null) ? Diagnoser.classifyThrown(refusal) : null;
			boolean telling = found != null && found.reason() != FailureReason.UNKNOWN
					&& found.reason() != FailureReason.PRODUCER_FATAL;
			return (found != null && telling) ? found
					: new Diagnosis(FailureReason.UNKNOWN, "the transaction was aborted", exception);
		}

	}

}
