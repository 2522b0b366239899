package io.evenkeel.kafka.producer;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;

import io.evenkeel.kafka.producer.ProducerSettings.TopicSettings;
import io.evenkeel.kafka.producer.line.Backoff;
import io.evenkeel.kafka.producer.line.LineEnd;
import io.evenkeel.kafka.producer.line.LineSettings;
import io.evenkeel.kafka.producer.line.LineWorker;
import io.evenkeel.kafka.producer.line.Lines;
import io.evenkeel.kafka.producer.line.Obstacle;
import io.evenkeel.kafka.producer.line.Probe;
import org.apache.commons.logging.Log;
import org.apache.commons.logging.LogFactory;
import org.apache.kafka.clients.producer.Callback;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.Metric;
import org.apache.kafka.common.MetricName;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.errors.InterruptException;
import org.apache.kafka.common.errors.InvalidTopicException;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.metrics.KafkaMetric;
import org.jspecify.annotations.Nullable;

/**
 * A producer whose {@code send} never waits: what is ready goes to the client at once,
 * what is not joins its topic's line.
 * <p>
 * <b>Threading.</b> Any thread sends. Three threads of its own: the scheduler makes the
 * client and serves the lines, the timer fires deadlines, the completion thread runs user
 * code. The client's I/O thread only ever sets results and signals.
 * <p>
 * <b>Invariants.</b> (1) No call of the client on a sender's thread can wait: it runs
 * with {@code max.block.ms=0} and is made elsewhere. (2) A thread's later record never
 * overtakes its earlier one: it goes to the client directly only when no line for its
 * topic exists, and a line exists until its last record was handed over. (3) Every send
 * ends, once: by the client's callback, or by its line.
 * <p>
 * <b>Why.</b> The deadlines have a thread of their own because a hand-over runs user code
 * (a partitioner, wrappers of the client) that may hang; it also sees to it that the
 * lines of other topics go on then.
 */
final class SendingProducer<K, V> extends WithoutTransactions<K, V> implements ManagedProducer {

	private static final Log logger = LogFactory.getLog(SendingProducer.class);

	private static final long CLOSE_POLL = TimeUnit.MILLISECONDS.toNanos(2);

	/** What the callbacks of records get that only fail when the time is up. */
	private static final long LAST_CALLBACKS = TimeUnit.MILLISECONDS.toNanos(300);

	private final ClientSpec<K, V> spec;

	private final ProducerSettings settings;

	private final ProducerRuntime runtime;

	private final ProducerRegistry registry;

	private final ClusterEvidence evidence;

	private final ClientLife<K, V> life;

	private final ClientGate<K, V> gate;

	private final Lines<Diagnosis, PendingSend<K, V>> lines;

	private final LineWorker scheduler;

	private final LineWorker timer;

	private final CompletionThread completions;

	private final SendObserver observer;

	private final OpenSends open;

	private final SendContext context;

	private final SendRoute<K, V> route;

	private final DeliveryWatch deliveries;

	private final ProducerViews<K, V> views;

	private final LifeEvents lifeEvents;

	private volatile boolean left;

	private volatile boolean closed;

	SendingProducer(ClientSpec<K, V> spec, ProducerSettings settings, ProducerRuntime runtime,
			ProducerRegistry registry, ClientLife.Events<K, V> clientEvents) {
		this.spec = spec;
		this.settings = settings;
		this.runtime = runtime;
		this.registry = registry;
		this.evidence = new ClusterEvidence(runtime.clock().getAsLong());
		this.observer = registry.added(this);
		this.lifeEvents = new LifeEvents(clientEvents);
		this.life = new ClientLife<>(spec, (resource) -> answered(resource.clusterId()), this.evidence, runtime,
				this.lifeEvents);
		this.gate = new ClientGate<>(this.life, this.evidence, runtime.clock(), spec.userCode(), this::replace);
		Consumer<Throwable> onError = (ex) -> logger.error(spec.id() + ": a turn of the lines failed", ex);
		this.scheduler = new LineWorker(runtime.named("evenkeel-lines-" + spec.id()), this::schedule, onError);
		this.timer = new LineWorker(runtime.named("evenkeel-timer-" + spec.id()), this::watch, onError);
		this.lines = new Lines<>(new WatchedHandOvers<>(this.gate, this.scheduler, this.timer::signal),
				this::lineSettings, settings.bufferMaxRecords(), settings.bufferMaxBytes(), runtime.clock(),
				runtime.random(), new LineMeters(this.observer, this::begun, this.scheduler::signal, this::slow));
		this.views = new ProducerViews<>(spec.id(), this.life, this.gate, this.lines, this.evidence, runtime.clock());
		this.deliveries = new DeliveryWatch(spec.id(), this::inFlight, runtime.clock(), this::replaceStuck);
		this.completions = new CompletionThread(runtime.named("evenkeel-completions-" + spec.id()), runtime);
		this.open = new OpenSends(runtime.clock());
		this.context = new SendContext(runtime.clock(), new Failures(spec.bootstrapServers(), settings, this.evidence),
				this.completions, this.open, this.observer,
				new ClientOutcomes<>(this.life, this.evidence, runtime.clock(), this::memoryFreed, this::replace),
				spec.userCode().interceptors());
		this.route = new SendRoute<>(spec, this.life, this.gate, this.lines, new BackPressure<>(spec.id(), settings,
				this.context.failures(), runtime.clock(), this.life, this.gate, this.lines));
	}

	/** Begin to make the client. */
	SendingProducer<K, V> start() {
		this.scheduler.start();
		this.timer.start();
		return this;
	}

	/**
	 * The same, with the client made before this returns, if it can be made.
	 */
	SendingProducer<K, V> startWithClient() {
		this.life.doWork();
		return start();
	}

	private LineSettings lineSettings(String topic) {
		TopicSettings limits = this.settings.topic(topic);
		Backoff backoff = new Backoff(limits.initialInterval().toNanos(), limits.multiplier(),
				limits.maxInterval().toNanos(), limits.jitter());
		return new LineSettings(limits.metadataTimeout().toNanos(), limits.unknownTopicLimit().toNanos(),
				limits.maxAttempts(), backoff, limits.failFastOpenDuration().toNanos());
	}

	private long schedule() {
		long client = this.life.doWork();
		return Math.min(client, this.lines.doWork());
	}

	private long watch() {
		long handOvers = this.scheduler.watch(this.runtime.clock().getAsLong());
		return Math.min(handOvers, Math.min(this.lines.expire(), this.deliveries.doWork()));
	}

	private @Nullable InFlight inFlight() {
		return this.life.flight();
	}

	void replaceStuck() {
		Client<K, V> client = this.life.current();
		if (client != null) {
			replace(client, FailureReason.PRODUCER_FATAL);
		}
	}

	private void begun() {
		this.timer.signal();
		this.scheduler.signal();
	}

	private void slow(String topic, int partition, long startedAt, Obstacle obstacle) {
		long now = this.runtime.clock().getAsLong();
		logger.warn(this.spec.id() + ": " + this.context.failures()
			.waiting(topic, this.gate.explain(topic, partition, startedAt, obstacle), now - startedAt, now));
	}

	private void memoryFreed() {
		if (this.lines.memoryFreed()) {
			this.scheduler.signal();
		}
	}

	private void answered(@Nullable String clusterId) {
		this.evidence.answered(clusterId, this.runtime.clock().getAsLong());
		wakeLines();
	}

	private void wakeLines() {
		this.lines.changed();
		this.scheduler.signal();
	}

	private void replace(Client<K, V> client, FailureReason cause) {
		if (this.life.replace(client, cause)) {
			this.scheduler.signal();
		}
	}

	@Override
	public Future<RecordMetadata> send(ProducerRecord<K, V> record) {
		return send(record, null);
	}

	@Override
	public Future<RecordMetadata> send(ProducerRecord<K, V> record, @Nullable Callback callback) {
		ProducerRecord<K, V> clean = DeliveryAttempts.without(record);
		return send(clean, callback, this.open.begin());
	}

	/**
	 * Send, unless this producer has been left: a send counts as begun before it looks,
	 * so whoever leaves it and then waits for what has begun misses none.
	 * @param record the record
	 * @param callback the callback
	 * @return the future, {@code null} if it was left and the record goes elsewhere
	 */
	@Nullable Future<RecordMetadata> sendUnlessLeft(ProducerRecord<K, V> record, @Nullable Callback callback) {
		ProducerRecord<K, V> clean = DeliveryAttempts.without(record);
		OpenSends.Round round = this.open.begin();
		if (this.left) {
			this.open.end(round);
			return null;
		}
		return send(clean, callback, round);
	}

	/** From here on {@link #sendUnlessLeft} takes nothing. */
	void leave() {
		this.left = true;
	}

	boolean isLeft() {
		return this.left;
	}

	private Future<RecordMetadata> send(ProducerRecord<K, V> record, @Nullable Callback callback,
			OpenSends.Round round) {
		long startedAt = this.runtime.clock().getAsLong();
		PendingSend<K, V> send = new PendingSend<>(this.context, record, callback, startedAt, round);
		if (!intercept(send)) {
			send.failLocally(Interceptors.returnedNothing(), 0);
			send.returnedUnsent();
		}
		else if (this.closed) {
			send.fail(new LineEnd<>(LineEnd.Kind.CLOSED, null, 0));
			send.returnedUnsent();
		}
		else if (!this.route.take(send)) {
			send.returnedUnsent();
		}
		if (this.observer.isActive()) {
			this.observer.returned(this.runtime.clock().getAsLong() - startedAt);
		}
		return send;
	}

	/** Let the user's interceptors see the record; false if they have left nothing. */
	private boolean intercept(PendingSend<K, V> send) {
		Interceptors<K, V> interceptors = this.spec.userCode().interceptors();
		if (interceptors.isEmpty()) {
			return true;
		}
		OpenSends.Frames frames = this.open.frames();
		frames.enter(send);
		try {
			ProducerRecord<K, V> intercepted = interceptors.onSend(send.record());
			if (intercepted != null) {
				send.intercepted(intercepted);
			}
			return intercepted != null;
		}
		finally {
			frames.exit();
		}
	}

	/**
	 * Waits until everything that was sent before has ended, its callbacks included,
	 * which is at the latest when the last of its deadlines has passed.
	 */
	@Override
	public void flush() {
		ClientFlush.warnUnless(flush(this.settings.longestDeadline()));
	}

	/**
	 * The same within a time.
	 * @return whether they have ended
	 */
	boolean flush(Duration timeout) {
		return ClientFlush.await(this.runtime.named("evenkeel-flush-" + this.spec.id()), this::currentProducer,
				this.open.earlier(), this.runtime.clock().getAsLong() + timeout.toNanos());
	}

	private @Nullable Producer<K, V> currentProducer() {
		Client<K, V> client = this.life.current();
		return (client != null) ? client.producer() : null;
	}

	@Override
	public List<PartitionInfo> partitionsFor(String topic) {
		if (!TopicNames.isValid(topic)) {
			throw new InvalidTopicException("Not a valid name for a topic: " + TopicNames.printable(topic));
		}
		long startedAt = this.runtime.clock().getAsLong();
		Duration timeout = this.settings.topic(topic).metadataTimeout();
		while (true) {
			Client<K, V> client = this.life.current();
			if (client != null && this.gate.look(client, topic, this.runtime.clock().getAsLong()) > 0) {
				return client.producer().partitionsFor(topic);
			}
			if (this.closed) {
				throw new IllegalStateException("The producer has been closed");
			}
			Probe<Diagnosis> probe = this.gate.probe(topic, startedAt);
			Diagnosis refusal = probe.refusal();
			if (refusal != null && refusal.cause() instanceof KafkaException said) {
				throw said;
			}
			if (this.runtime.clock().getAsLong() - startedAt > timeout.toNanos()) {
				Diagnosis found = this.gate.explain(topic, -1, startedAt, Obstacle.METADATA);
				throw new TimeoutException(
						"Topic " + topic + " is not known after " + Failures.simple(timeout) + ": " + found.reason(),
						(found.cause() != null) ? found.cause() : this.gate.said(topic));
			}
			if (Thread.currentThread().isInterrupted()) {
				throw new InterruptException("Interrupted while waiting for topic " + topic);
			}
			LockSupport.parkNanos(this, TimeUnit.MILLISECONDS.toNanos(10));
		}
	}

	@Override
	public Map<MetricName, ? extends Metric> metrics() {
		Client<K, V> client = this.life.current();
		return (client != null) ? client.producer().metrics() : IdMetric.mapOf(this.spec.id());
	}

	@Override
	public Uuid clientInstanceId(Duration timeout) {
		return client("clientInstanceId").clientInstanceId(timeout);
	}

	@Override
	public void registerMetricForSubscription(KafkaMetric metric) {
		client("registerMetricForSubscription").registerMetricForSubscription(metric);
	}

	@Override
	public void unregisterMetricFromSubscription(KafkaMetric metric) {
		client("unregisterMetricFromSubscription").unregisterMetricFromSubscription(metric);
	}

	private Producer<K, V> client(String method) {
		Client<K, V> client = this.life.current();
		if (client == null) {
			throw new IllegalStateException(method + ": the client has not been made yet");
		}
		return client.producer();
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
		long limit = Math.min(Math.max(0, timeout.toNanos()), this.settings.shutdownTimeout().toNanos());
		long deadline = this.runtime.clock().getAsLong() + limit;
		try {
			while (this.lines.waitingRecords() > 0 && this.runtime.clock().getAsLong() - deadline < 0
					&& !Thread.currentThread().isInterrupted()) {
				LockSupport.parkNanos(this, CLOSE_POLL);
			}
			int failed = this.lines.close();
			if (failed > 0) {
				logger.warn(this.spec.id() + ": closed while " + failed + " records waited, they failed as CLOSED");
			}
			Client<K, V> client = this.life.close();
			if (client != null) {
				long left = Math.max(0, deadline - this.runtime.clock().getAsLong());
				client.end(this.runtime.named("evenkeel-close-" + this.spec.id()), Duration.ofNanos(left),
						new Diagnosis(FailureReason.CLOSED, "the producer was closed", null));
			}
			InFlight left = this.life.flight();
			if (client == null && left != null) {
				left.abandon(new Diagnosis(FailureReason.CLOSED, "the producer was closed", null));
			}
		}
		finally {
			this.scheduler.stop();
			this.timer.stop();
			this.open.earlier().await(Math.max(deadline, this.runtime.clock().getAsLong() + LAST_CALLBACKS));
			this.completions.close();
			this.spec.closeUserCode();
			this.registry.removed(this);
			this.lifeEvents.closed();
		}
	}

	boolean hasClient() {
		return this.life.current() != null;
	}

	/** The cluster's id, if it has told. */
	@Nullable String clusterId() {
		return this.evidence.clusterId();
	}

	@Override
	public String id() {
		return this.spec.id();
	}

	@Override
	public ProducerSnapshot snapshot() {
		return this.views.snapshot(this.closed);
	}

	@Override
	public long pendingRecords() {
		return this.lines.waitingRecords();
	}

	@Override
	public long pendingBytes() {
		return this.lines.waitingBytes();
	}

	@Override
	public double metadataAgeSeconds() {
		return this.evidence.silentNanos(this.runtime.clock().getAsLong()) / (double) TimeUnit.SECONDS.toNanos(1);
	}

	@Override
	public String toString() {
		return "SendingProducer[" + this.spec.id() + "]";
	}

	private final class LifeEvents implements ClientLife.Events<K, V> {

		private final ClientLife.Events<K, V> outer;

		LifeEvents(ClientLife.Events<K, V> outer) {
			this.outer = outer;
		}

		@Override
		public void ready(Client<K, V> client) {
			SendingProducer.this.lines.changed();
			this.outer.ready(client);
		}

		@Override
		public void failed() {
			SendingProducer.this.lines.changed();
			this.outer.failed();
		}

		@Override
		public void replaced(Client<K, V> client, FailureReason cause) {
			SendingProducer.this.observer.replaced(cause);
			this.outer.replaced(client, cause);
		}

		@Override
		public void closed() {
			this.outer.closed();
		}

	}

}
