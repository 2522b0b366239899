package io.evenkeel.kafka.producer;

import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Supplier;
import java.util.regex.Pattern;

import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.MetricName;
import org.apache.kafka.common.config.AbstractConfig;
import org.apache.kafka.common.serialization.Serializer;
import org.jspecify.annotations.Nullable;

import org.springframework.context.ApplicationContext;
import org.springframework.kafka.core.DefaultKafkaProducerFactory;
import org.springframework.kafka.core.ProducerFactory;
import org.springframework.kafka.core.ProducerPostProcessor;
import org.springframework.util.Assert;
import org.springframework.util.ClassUtils;

/**
 * A producer factory whose producers never hold a sender: every template over it, a reply
 * template or the user's own included, sends through Evenkeel.
 * <p>
 * <b>Why a factory and not just a post-processor.</b> A post-processor gets the client
 * when it is made already, and making it resolves the brokers' names on the thread of the
 * first sender, under the factory's lock, and throws when none resolves. This factory
 * answers with a producer whose client is made on its own thread; post-processors are
 * applied to that client. A copy with other properties is of this type again.
 * <p>
 * <b>Threading.</b> As its parent: any thread. Listeners hear of a producer when its
 * client exists, so that they find the client's metrics. A producer that has grown too
 * old is closed by a thread of its own, not by the sender who finds it.
 * <p>
 * <b>Invariant.</b> Nobody is handed a closed producer unless the factory has been
 * destroyed; what is sent then fails as {@link FailureReason#CLOSED}.
 *
 * @param <K> the type of keys
 * @param <V> the type of values
 */
public class EvenkeelProducerFactory<K, V> extends DefaultKafkaProducerFactory<K, V> {

	/** As {@code metadata.timeout}: longer is as good as for ever. */
	private static final long LONGEST_MAX_BLOCK = Duration.ofDays(365).toMillis();

	private static final int MOST_SUCCESSORS = 1000;

	private static final Pattern NUMBER = Pattern.compile("-\\d+$");

	private final ProducerLimits limits;

	private final ProducerRegistry registry;

	private final ProducerRuntime runtime;

	private final Map<String, StandingProducer<K, V>> producers = new ConcurrentHashMap<>();

	private final List<ClientListener<K, V>> clientListeners = new CopyOnWriteArrayList<>();

	/** Set while a thread asks the parent for a producer. */
	private final ThreadLocal<@Nullable Boolean> identifying = new ThreadLocal<>();

	private final ThreadLocal<Boolean> handingOut = new ThreadLocal<>();

	private final AtomicBoolean started = new AtomicBoolean();

	private @Nullable ClassLoader classLoader;

	private volatile boolean aging;

	/** What is sent from now on fails: nobody would close another client. */
	private volatile boolean closed;

	/**
	 * Make a factory.
	 * @param configs the client's properties; {@code max.block.ms}, if it is there when a
	 * producer is made, takes the place of the metadata timeout
	 * @param limits the limits of the producers; the delivery timeout is read from the
	 * client's properties
	 * @param registry knows the producers
	 */
	public EvenkeelProducerFactory(Map<String, Object> configs, ProducerLimits limits, ProducerRegistry registry) {
		this(configs, limits, registry, registry.surroundings().runtime());
	}

	EvenkeelProducerFactory(Map<String, Object> configs, ProducerLimits limits, ProducerRegistry registry,
			ProducerRuntime runtime) {
		super(configs);
		Assert.notNull(limits, "'limits' must not be null");
		Assert.notNull(registry, "'registry' must not be null");
		this.limits = limits;
		this.registry = registry;
		this.runtime = runtime;
	}

	/**
	 * Put a sending producer in the place of a client that another factory has made, with
	 * that client's properties, id and serializers. What is no plain client of Kafka's,
	 * or is transactional, stays what it is.
	 * @param client what the factory has made, not used yet
	 * @param limits the limits, as for a factory of this class
	 * @param registry knows the producers
	 * @param <K> the type of keys
	 * @param <V> the type of values
	 * @return the sending producer, or the client
	 */
	public static <K, V> Producer<K, V> replace(Producer<K, V> client, ProducerLimits limits,
			ProducerRegistry registry) {
		ClientParts<K, V> parts = ClientParts.of(client);
		if (parts == null || parts.isTransactional()) {
			return client;
		}
		EvenkeelProducerFactory<K, V> ours = new EvenkeelProducerFactory<>(parts.configs(), limits, registry);
		// They are configured.
		ours.setConfigureSerializers(false);
		ours.setKeySerializer(parts.keySerializer());
		ours.setValueSerializer(parts.valueSerializer());
		ours.classLoader = Thread.currentThread().getContextClassLoader();
		return ours.inPlaceOf(parts);
	}

	/**
	 * The client is closed, at the latest with the producer in its place: closing it
	 * closes its serializers, which the application may have made. The new client is made
	 * at once, as the one before was: listeners of the factory look for its metrics.
	 */
	private Producer<K, V> inPlaceOf(ClientParts<K, V> parts) {
		Map<String, Object> configs = new HashMap<>(parts.configs());
		ProducerSettings settings = settings(configs);
		boolean closesNow = parts.isHarmlessToClose();
		if (closesNow) {
			parts.client().close(Duration.ZERO);
		}
		ClientSpec<K, V> spec = parse(configs);
		SendingProducer<K, V> producer = new SendingProducer<>(spec,
				settings.withDeliveryTimeout(spec.deliveryTimeout()), this.runtime, this.registry,
				new ClientLife.Events<>() {

					@Override
					public void closed() {
						if (!closesNow) {
							parts.client().close(Duration.ZERO);
						}
					}

				});
		return new StandingProducer<>(producer.startWithClient(), () -> null, this::closeUnlessTooOld,
				settings.shutdownTimeout(), () -> false);
	}

	/** A factory that is not ours closes what is too old on the thread of a sender. */
	private void closeUnlessTooOld(String id, Runnable closing) {
		boolean tooOld = StackWalker.getInstance()
			.walk((frames) -> frames.anyMatch((frame) -> frame.getMethodName().equals("expire")
					&& frame.getClassName().equals(DefaultKafkaProducerFactory.class.getName())));
		if (tooOld) {
			whileHandingOut(() -> {
				close(id, closing);
				return this;
			});
		}
		else {
			closing.run();
		}
	}

	@Override
	public void setApplicationContext(ApplicationContext applicationContext) {
		super.setApplicationContext(applicationContext);
		this.classLoader = applicationContext.getClassLoader();
	}

	/**
	 * Does not connect, and does not hold the start of the application.
	 */
	@Override
	public void start() {
		this.closed = false;
		this.started.set(true);
		Map<String, Object> configs = getConfigurationProperties();
		Thread thread = this.runtime.named("evenkeel-warm-up").newThread(() -> WarmUp.run(configs, this.runtime));
		if (thread != null) {
			thread.start();
		}
	}

	/**
	 * Close all producers. What beans still send while they are destroyed gets a new one,
	 * which {@link #destroy} closes.
	 */
	@Override
	public void stop() {
		this.started.set(false);
		closeProducers();
	}

	@Override
	public boolean isRunning() {
		return this.started.get();
	}

	/**
	 * Close all producers; the next send gets a new one.
	 */
	@Override
	public void reset() {
		this.closed = false;
		closeProducers();
	}

	/**
	 * Close all producers for good. What is sent after that fails as
	 * {@link FailureReason#CLOSED}, unless the factory is started again or
	 * {@link #reset}.
	 */
	@Override
	public void destroy() {
		this.closed = true;
		closeProducers();
		// The parent loses sight of one that a thread has made for itself meanwhile.
		this.producers.values().forEach(StandingProducer::close);
	}

	/** The parent's own way: it closes what it has cached, and forgets it before. */
	private void closeProducers() {
		super.destroy();
	}

	@Override
	public void setMaxAge(Duration maxAge) {
		super.setMaxAge(maxAge);
		this.aging = true;
	}

	@Override
	public Producer<K, V> createProducer(@Nullable String txIdPrefixArg) {
		return handOut(() -> super.createProducer(txIdPrefixArg));
	}

	@Override
	public Producer<K, V> createNonTransactionalProducer() {
		return handOut(super::createNonTransactionalProducer);
	}

	private Producer<K, V> handOut(Supplier<Producer<K, V>> parent) {
		if (this.closed) {
			return closedProducer();
		}
		Producer<K, V> producer = this.aging ? whileHandingOut(parent) : parent.get();
		if (this.closed) {
			// Made while everything was closed: nobody else would close it.
			closeProducers();
			return closedProducer();
		}
		return producer;
	}

	private <T> T whileHandingOut(Supplier<T> parent) {
		this.handingOut.set(Boolean.TRUE);
		try {
			return parent.get();
		}
		finally {
			this.handingOut.remove();
		}
	}

	/** Of the factory after its end: its sends say so. */
	private Producer<K, V> closedProducer() {
		Map<String, Object> configs = new HashMap<>(getConfigurationProperties());
		configs.put(ProducerConfig.CLIENT_ID_CONFIG, idPrefix(configs) + "-closed");
		SendingProducer<K, V> producer = inClassLoader(() -> newSendingProducer(configs, settings(configs)));
		producer.close(Duration.ZERO);
		return producer;
	}

	/** One that stands; another thread may find it too old in the same moment. */
	private @Nullable Producer<K, V> successor() {
		for (int i = 0; i < MOST_SUCCESSORS && !this.closed; i++) {
			Producer<K, V> next = createNonTransactionalProducer();
			if (isStanding(next)) {
				return next;
			}
			if (isProducerPerThread()) {
				// The parent forgets those of all threads only when it has closed them.
				closeThreadBoundProducer();
			}
		}
		return null;
	}

	private boolean isStanding(Producer<K, V> producer) {
		Map<MetricName, ?> metrics;
		this.identifying.set(Boolean.TRUE);
		try {
			// The parent's wrapper tells nothing else of what is in it.
			metrics = producer.metrics();
		}
		finally {
			this.identifying.remove();
		}
		StandingProducer<K, V> found = this.producers.get(IdMetric.idIn(metrics));
		return found != null && found.isStanding();
	}

	/** Not on a sender's thread, who only wanted a producer. */
	private void close(String id, Runnable closing) {
		Thread thread = (this.handingOut.get() != null) ? this.runtime.named("evenkeel-close-" + id).newThread(closing)
				: null;
		if (thread != null) {
			thread.start();
		}
		else {
			closing.run();
		}
	}

	@Override
	protected Producer<K, V> createRawProducer(Map<String, Object> rawConfigs) {
		Map<String, Object> configs = new HashMap<>(rawConfigs);
		ProducerSettings settings = settings(configs);
		if (configs.containsKey(ProducerConfig.CLIENT_ID_CONFIG)
				|| !configs.containsKey(ProducerConfig.TRANSACTIONAL_ID_CONFIG)) {
			assignId(configs);
		}
		if (configs.get(ProducerConfig.TRANSACTIONAL_ID_CONFIG) != null) {
			configs.put(ProducerConfig.MAX_BLOCK_MS_CONFIG, settings.defaults().metadataTimeout().toMillis());
			return inClassLoader(() -> createTransactionalProducer(configs, settings));
		}
		configs.put(ProducerConfig.MAX_BLOCK_MS_CONFIG, 0L);
		return inClassLoader(() -> {
			SendingProducer<K, V> sending = newSendingProducer(configs, settings);
			StandingProducer<K, V> producer = new StandingProducer<>(sending, this::successor, this::close,
					settings.shutdownTimeout(), () -> this.identifying.get() != null);
			this.producers.put(sending.id(), producer);
			sending.start();
			return producer;
		});
	}

	/**
	 * An id that no other producer of the application has. The parent counts for each
	 * factory by itself, and again for each client.
	 */
	private void assignId(Map<String, Object> configs) {
		String prefix = idPrefix(configs);
		configs.put(ProducerConfig.CLIENT_ID_CONFIG, prefix + "-" + this.registry.nextNumber(prefix));
	}

	private static String idPrefix(Map<String, Object> configs) {
		Object given = configs.get(ProducerConfig.CLIENT_ID_CONFIG);
		return (given != null) ? NUMBER.matcher(given.toString()).replaceFirst("") : "evenkeel-producer";
	}

	/**
	 * A customizer, an override or an update may have set it: as with the stock factory.
	 */
	private ProducerSettings settings(Map<String, Object> configs) {
		Object maxBlock = configs.get(ProducerConfig.MAX_BLOCK_MS_CONFIG);
		if (maxBlock == null) {
			return this.limits.settings(null);
		}
		long millis = Long.parseLong(maxBlock.toString().trim());
		return this.limits.settings(Duration.ofMillis(Math.max(1, Math.min(millis, LONGEST_MAX_BLOCK))));
	}

	private Producer<K, V> createTransactionalProducer(Map<String, Object> configs, ProducerSettings settings) {
		ClientSpec<K, V> spec = parse(configs);
		ClusterEvidence evidence = new ClusterEvidence(this.runtime.clock().getAsLong());
		HandOverSerializer<K> key = new HandOverSerializer<>(spec.keySerializer(), true, spec.userCode(),
				(resource) -> {
					evidence.answered(resource.clusterId(), this.runtime.clock().getAsLong());
					spec.userCode().interceptors().onUpdate(resource);
				});
		HandOverSerializer<V> value = new HandOverSerializer<>(spec.valueSerializer(), false, spec.userCode(),
				(resource) -> {
				});
		spec.userCode().replaceIn(configs);
		Client<K, V> client = new Client<>(postProcessed(newClient(configs, key, value), spec.userCode()), key, value,
				new InFlight(spec.deliveryTimeout().toNanos()), spec.userCode());
		ProducerSettings limits = settings.withDeliveryTimeout(spec.deliveryTimeout());
		String id = spec.id().isEmpty() ? String.valueOf(configs.get(ProducerConfig.TRANSACTIONAL_ID_CONFIG))
				: spec.id();
		return new TransactionalProducer<>(client, evidence, new Failures(spec.bootstrapServers(), limits, evidence),
				this.runtime, id, limits, this.registry, spec.userCode(), this::close);
	}

	private SendingProducer<K, V> newSendingProducer(Map<String, Object> configs, ProducerSettings settings) {
		ClientSpec<K, V> spec = parse(configs);
		return new SendingProducer<>(spec, settings.withDeliveryTimeout(spec.deliveryTimeout()), this.runtime,
				this.registry, new ClientEvents(spec.id()));
	}

	private ClientSpec<K, V> parse(Map<String, Object> configs) {
		Serializer<K> givenKey = getKeySerializer();
		Serializer<V> givenValue = getValueSerializer();
		if (givenKey != null) {
			configs.put(ProducerConfig.KEY_SERIALIZER_CLASS_CONFIG, givenKey.getClass());
		}
		if (givenValue != null) {
			configs.put(ProducerConfig.VALUE_SERIALIZER_CLASS_CONFIG, givenValue.getClass());
		}
		AbstractConfig parsed = new AbstractConfig(ProducerConfig.configDef(), configs, false);
		Serializer<K> key = (givenKey != null) ? givenKey
				: newSerializer(parsed, ProducerConfig.KEY_SERIALIZER_CLASS_CONFIG, true);
		Serializer<V> value = (givenValue != null) ? givenValue
				: newSerializer(parsed, ProducerConfig.VALUE_SERIALIZER_CLASS_CONFIG, false);
		String id = parsed.getString(ProducerConfig.CLIENT_ID_CONFIG);
		long maxRecordBytes = Math.min(parsed.getInt(ProducerConfig.MAX_REQUEST_SIZE_CONFIG),
				parsed.getLong(ProducerConfig.BUFFER_MEMORY_CONFIG));
		UserCode<K, V> userCode = UserCode.of(parsed, id);
		Duration deliveryTimeout = Duration.ofMillis(parsed.getInt(ProducerConfig.DELIVERY_TIMEOUT_MS_CONFIG));
		return new ClientSpec<>(id, parsed.getList(ProducerConfig.BOOTSTRAP_SERVERS_CONFIG), key, value, maxRecordBytes,
				deliveryTimeout, (keys, values) -> inClassLoader(() -> createClient(id, keys, values, userCode)),
				userCode);
	}

	private static <T> Serializer<T> newSerializer(AbstractConfig config, String property, boolean isKey) {
		@SuppressWarnings("unchecked")
		Serializer<T> serializer = config.getConfiguredInstance(property, Serializer.class);
		Assert.state(serializer != null, () -> property + " must be set");
		serializer.configure(config.originals(), isKey);
		return serializer;
	}

	/** On the scheduler's thread: this resolves names and may take its time. */
	private Producer<K, V> createClient(String id, HandOverSerializer<K> key, HandOverSerializer<V> value,
			UserCode<K, V> userCode) {
		Map<String, Object> configs = getProducerConfigs();
		userCode.replaceIn(configs);
		configs.put(ProducerConfig.MAX_BLOCK_MS_CONFIG, 0L);
		configs.put(ProducerConfig.CLIENT_ID_CONFIG, id);
		return postProcessed(newClient(configs, key, value), userCode);
	}

	Producer<K, V> newClient(Map<String, Object> configs, Serializer<K> key, Serializer<V> value) {
		return this.registry.surroundings().clients().make(configs, key, value);
	}

	private Producer<K, V> postProcessed(Producer<K, V> client, UserCode<K, V> userCode) {
		List<ProducerPostProcessor<K, V>> postProcessors = getPostProcessors();
		Producer<K, V> result = postProcessors.isEmpty() ? client : userCode.mark(client);
		try {
			for (ProducerPostProcessor<K, V> postProcessor : postProcessors) {
				result = postProcessor.apply(result);
			}
			return result;
		}
		catch (RuntimeException | Error ex) {
			// Nobody else knows it, and its threads would stay.
			client.close(Duration.ZERO);
			throw ex;
		}
	}

	private <T> T inClassLoader(Supplier<T> action) {
		ClassLoader target = (this.classLoader != null) ? this.classLoader : getClass().getClassLoader();
		ClassLoader original = ClassUtils.overrideThreadContextClassLoader(target);
		try {
			return action.get();
		}
		finally {
			if (original != null) {
				Thread.currentThread().setContextClassLoader(original);
			}
		}
	}

	@Override
	public ProducerFactory<K, V> copyWithConfigurationOverride(@Nullable Map<String, Object> overrideProperties) {
		Map<String, Object> configs = new HashMap<>(getConfigurationProperties());
		if (overrideProperties != null) {
			configs.putAll(overrideProperties);
		}
		String prefix = getTransactionIdPrefix();
		if (prefix != null) {
			configs.putIfAbsent(ProducerConfig.TRANSACTIONAL_ID_CONFIG, prefix);
		}
		EvenkeelProducerFactory<K, V> copy = new EvenkeelProducerFactory<>(configs, this.limits, this.registry,
				this.runtime);
		copy.classLoader = this.classLoader;
		copy.setConfigureSerializers(isConfigureSerializers());
		Supplier<@Nullable Serializer<K>> keys = getKeySerializerSupplier();
		Supplier<@Nullable Serializer<V>> values = getValueSerializerSupplier();
		if (keys != null) {
			copy.setKeySerializerSupplier(keys);
		}
		if (values != null) {
			copy.setValueSerializerSupplier(values);
		}
		copy.setPhysicalCloseTimeout((int) getPhysicalCloseTimeout().toSeconds());
		copy.setProducerPerThread(isProducerPerThread());
		getPostProcessors().forEach(copy::addPostProcessor);
		getListeners().forEach(copy::addListener);
		return copy;
	}

	@Override
	public void addListener(Listener<K, V> listener) {
		super.addListener(deferred(listener));
	}

	@Override
	public void addListener(int index, Listener<K, V> listener) {
		super.addListener(index, deferred(listener));
	}

	private ClientListener<K, V> deferred(Listener<K, V> listener) {
		Assert.notNull(listener, "'listener' must not be null");
		ClientListener<K, V> result = new ClientListener<>(listener, this::isClientMissing);
		this.clientListeners.add(result);
		return result;
	}

	private boolean isClientMissing(String id) {
		return this.producers.values()
			.stream()
			.map(StandingProducer::inner)
			.anyMatch((producer) -> id.endsWith("." + producer.id()) && !producer.hasClient());
	}

	@Override
	public boolean removeListener(Listener<K, V> listener) {
		for (ClientListener<K, V> candidate : this.clientListeners) {
			if (candidate.delegate() == listener) {
				this.clientListeners.remove(candidate);
				return super.removeListener(candidate);
			}
		}
		return false;
	}

	@Override
	public List<Listener<K, V>> getListeners() {
		return super.getListeners().stream()
			.map((listener) -> (listener instanceof ClientListener<K, V> deferred) ? deferred.delegate() : listener)
			.toList();
	}

	/**
	 * The id of the cluster, as far as a producer of this factory has heard it.
	 * @return the id, or {@code null}
	 */
	protected @Nullable String knownClusterId() {
		for (StandingProducer<K, V> producer : this.producers.values()) {
			String id = producer.inner().clusterId();
			if (id != null) {
				return id;
			}
		}
		return null;
	}

	private final class ClientEvents implements ClientLife.Events<K, V> {

		private final String id;

		ClientEvents(String id) {
			this.id = id;
		}

		@Override
		public void ready(Client<K, V> client) {
			EvenkeelProducerFactory.this.clientListeners.forEach((listener) -> listener.clientReady(this.id));
		}

		@Override
		public void replaced(Client<K, V> client, FailureReason cause) {
			EvenkeelProducerFactory.this.clientListeners.forEach((listener) -> listener.clientGone(this.id));
		}

		@Override
		public void closed() {
			EvenkeelProducerFactory.this.producers.remove(this.id);
		}

	}

}
