package io.evenkeel.kafka.producer;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;

import io.evenkeel.kafka.producer.ProducerSnapshot.State;
import io.evenkeel.kafka.producer.line.LineWorker;
import org.apache.commons.logging.Log;
import org.apache.commons.logging.LogFactory;
import org.apache.kafka.clients.producer.BufferExhaustedException;
import org.apache.kafka.clients.producer.Callback;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.errors.AuthenticationException;
import org.apache.kafka.common.errors.InterruptException;
import org.apache.kafka.common.errors.TimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * A producer inside transactions. A send waits for its topic, at most for the metadata
 * timeout, and a failure arrives in its future.
 * <p>
 * <b>Threading.</b> One thread at a time sends, as spring-kafka binds it; callbacks run
 * on a completion thread. <b>Why.</b> A send that fails for want of metadata leaves the
 * transaction no choice but to abort; looking for the topic first does not. The wait is
 * the client's own, {@code max.block.ms}: without it a transaction could not begin. A
 * partition that the client does not know is refused at once: the only way to ask for it
 * would risk the transaction, so one that was just added is found with the client's next
 * metadata, at the latest after {@code metadata.max.age.ms}.
 */
final class TransactionalProducer<K, V> extends DelegatingProducer<K, V> implements ManagedProducer {

	private static final Log logger = LogFactory.getLog(TransactionalProducer.class);

	private static final long COMPLETIONS = TimeUnit.MILLISECONDS.toNanos(500);

	private final Client<K, V> client;

	private final ClusterEvidence evidence;

	private final ProducerRuntime runtime;

	private final LineWorker timer;

	private final TopicLook look;

	private final CompletionThread completions;

	private final SendContext context;

	private final ProducerSettings settings;

	private final String id;

	private final ProducerRegistry registry;

	private final SendObserver observer;

	private volatile boolean closed;

	TransactionalProducer(Client<K, V> client, ClusterEvidence evidence, Failures failures, ProducerRuntime runtime,
			String id, ProducerSettings settings, ProducerRegistry registry) {
		super(client.producer());
		this.id = id;
		this.client = client;
		this.registry = registry;
		this.runtime = runtime;
		this.evidence = evidence;
		this.completions = new CompletionThread(runtime.named("evenkeel-completions-" + id), runtime);
		this.observer = registry.added(this);
		this.context = new SendContext(runtime.clock(), failures, this.completions, this.observer,
				new ClientOutcomes());
		this.settings = settings;
		this.look = new TopicLook(client.producer(), settings.defaults().metadataTimeout(), runtime);
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
		PendingSend<K, V> send = new PendingSend<>(this.context, record, callback, this.context.clock().getAsLong());
		send.takeUnseen();
		if (!TopicNames.isValid(send.topic())) {
			send.failLocally(new Diagnosis(FailureReason.INVALID_TOPIC, "not a valid name for a topic", null), 0);
		}
		else {
			lookAndOffer(send);
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
		this.evidence.found(obstacle.reason(), send.startedAt(), this.context.clock().getAsLong());
		if (obstacle.reason() == FailureReason.PARTITION_NOT_FOUND) {
			send.failLocally(obstacle, 1);
		}
		else {
			send.failWaited(obstacle);
		}
	}

	/** What keeps the record from being sent; found without touching the transaction. */
	private @Nullable Diagnosis lookFor(PendingSend<K, V> send) {
		try {
			int partitions = this.look.partitions(send.topic(), this.settings.topic(send.topic()).metadataTimeout());
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
			return (found != null && telling) ? found : explain(send);
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

	private Diagnosis explain(PendingSend<K, V> send) {
		return this.evidence.explain(-1, send.startedAt(), this.context.clock().getAsLong(), delegate());
	}

	private void offer(PendingSend<K, V> send) {
		Throwable thrown = null;
		this.client.inFlight().add(send, this.context.clock().getAsLong());
		send.handing();
		try {
			delegate().send(send.record(), send);
		}
		catch (RuntimeException | Error ex) {
			thrown = ex;
		}
		Exception answer = send.handed();
		if (thrown != null || answer != null) {
			send.leaveFlight();
		}
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
			send.failWaited(explain(send));
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
		BoundedCall.runInterruptibly(this.runtime.named("evenkeel-flush-" + this.id), super::flush,
				this.settings.deliveryTimeout().toNanos() + COMPLETIONS);
		this.completions.await(COMPLETIONS);
	}

	/** As with the stock client, futures are complete when the commit returns. */
	@Override
	public void commitTransaction() {
		super.commitTransaction();
		this.completions.await(COMPLETIONS);
	}

	@Override
	public void abortTransaction() {
		super.abortTransaction();
		this.completions.await(COMPLETIONS);
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
		try {
			Duration limit = this.settings.shutdownTimeout();
			this.client.end(this.runtime.named("evenkeel-close-" + this.id),
					(timeout.compareTo(limit) < 0) ? timeout : limit,
					new Diagnosis(FailureReason.CLOSED, "the producer was closed", null));
		}
		finally {
			this.timer.stop();
			this.completions.close(COMPLETIONS);
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
		public void completed(boolean success) {
			if (success) {
				TransactionalProducer.this.evidence.delivered();
			}
		}

		@Override
		public Diagnosis failed(Exception exception, long startedAt) {
			Diagnosis found = Diagnoser.classify(exception);
			TransactionalProducer.this.evidence.undelivered(found.reason(), startedAt,
					TransactionalProducer.this.context.clock().getAsLong());
			boolean ended = TransactionalProducer.this.closed && found.reason() == FailureReason.UNKNOWN;
			return ended ? new Diagnosis(FailureReason.CLOSED, "the producer was closed", exception) : found;
		}

	}

}
