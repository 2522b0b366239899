package io.evenkeel.kafka.container.setup;

import java.lang.reflect.Method;
import java.time.Duration;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Properties;
import java.util.Set;

import io.evenkeel.kafka.config.ClientCheck;
import io.evenkeel.kafka.config.ClientKind;
import io.evenkeel.kafka.config.ClientRefusal;
import io.evenkeel.kafka.config.InvalidSettingException;
import io.evenkeel.kafka.config.Setting;
import io.evenkeel.kafka.config.SettingChecks;
import io.evenkeel.kafka.container.call.AcknowledgmentMode;
import io.evenkeel.kafka.container.call.ListenerTarget;
import io.evenkeel.kafka.container.listener.ContainerSettings;
import io.evenkeel.kafka.container.listener.ListenerContext;
import io.evenkeel.kafka.engine.EngineSettings;
import io.evenkeel.kafka.engine.dispatch.Ordering;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.jspecify.annotations.Nullable;
import org.springframework.context.ApplicationContext;
import org.springframework.core.env.MutablePropertySources;
import org.springframework.core.env.PropertyResolver;
import org.springframework.core.env.PropertySourcesPropertyResolver;
import org.springframework.kafka.core.ConsumerFactory;
import org.springframework.kafka.core.DefaultKafkaConsumerFactory;
import org.springframework.kafka.listener.ContainerProperties;
import org.springframework.kafka.listener.ContainerProperties.AssignmentCommitOption;

/**
 * Reads what a listener was configured with, refuses what cannot work, and says the rest
 * in the engine's terms.
 */
public final class ListenerInspection {

	/** How factories make consumers. */
	private static final Set<String> MAKERS = Set.of("createRawConsumer", "createKafkaConsumer", "createConsumer");

	private static final Duration POLL_TIMEOUT = Duration.ofMillis(100);

	private static final int DEFAULT_MAX_POLL_RECORDS = 500;

	private static final int DEFAULT_MAX_POLL_INTERVAL = 300_000;

	private static final int DEFAULT_AUTO_COMMIT_INTERVAL = 5000;

	private final String id;

	private final Map<String, Object> config;

	private final ContainerProperties properties;

	/** A factory of another kind may take its configuration as it likes. */
	private final boolean checked;

	/** Whether Kafka's own client is what the factory makes. */
	private final boolean ofTheClient;

	private final @Nullable Object configuredGroup;

	private final PropertyResolver environment;

	ListenerInspection(ListenerContext context, ConsumerFactory<?, ?> factory, Properties overrides) {
		this.id = context.id();
		this.properties = context.properties();
		ApplicationContext application = context.application();
		this.environment = (application != null) ? application.getEnvironment()
				: new PropertySourcesPropertyResolver(new MutablePropertySources());
		this.checked = factory instanceof DefaultKafkaConsumerFactory<?, ?>;
		this.ofTheClient = this.checked && !makesItsOwn(factory.getClass());
		this.config = new HashMap<>(factory.getConfigurationProperties());
		overrides.stringPropertyNames().forEach((name) -> this.config.put(name, overrides.getProperty(name)));
		overrides.forEach((name, value) -> this.config.putIfAbsent(String.valueOf(name), value));
		this.configuredGroup = this.config.get(ConsumerConfig.GROUP_ID_CONFIG);
		String groupId = this.properties.getGroupId();
		if (groupId != null) {
			this.config.put(ConsumerConfig.GROUP_ID_CONFIG, groupId);
		}
	}

	/**
	 * Whether consumers are made by a subclass of the application's, which may make any,
	 * a mock for a test too. What those refuse is heard when they are made.
	 */
	private static boolean makesItsOwn(Class<?> factory) {
		for (Class<?> type = factory; type != DefaultKafkaConsumerFactory.class; type = type.getSuperclass()) {
			if (Arrays.stream(type.getDeclaredMethods()).map(Method::getName).anyMatch(MAKERS::contains)) {
				return true;
			}
		}
		return false;
	}

	/** Refuse what our container, or the consumer itself, cannot do. */
	void check(ContainerSettings settings, ListenerTarget target) {
		if (commitsByItself() && !this.checked) {
			throw new InvalidSettingException(
					ClientKind.CONSUMER.setting(ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, true, owner()),
					"listener '" + this.id + "' commits what its handlers have completed; its consumer factory is none "
							+ "of spring-kafka's, and a consumer that it makes could commit records that are in hand",
					"Write enable.auto.commit=false in the consumer factory, or use a DefaultKafkaConsumerFactory.");
		}
		if (this.ofTheClient) {
			ClientCheck.consumer(this.config, owner());
		}
		ContainerRefusals.check(this.id, this.properties, settings, target);
	}

	/**
	 * Say what is taken otherwise than somebody may expect; the rest is as it is written.
	 */
	void tell(StartNotices notices, @Nullable String groupWarning, ContainerSettings settings, ListenerTarget target) {
		notices.warn(drainWarning(settings));
		notices.warn(groupWarning);
		if (commitsByItself()) {
			notices.info("enable.auto.commit=true is taken as a commit each " + commitInterval(settings).toMillis()
					+ " ms of the records whose handlers have completed; the consumer itself does not commit, as it "
					+ "would commit those in hand too");
		}
		if (settings.saveCompleted() && hasMetadataOfItsOwn()) {
			notices.info("evenkeel.kafka.consumer.commit.save-completed is off for this listener, as its "
					+ "OffsetAndMetadataProvider fills the metadata of the commits");
		}
		if (isTransactional() && this.properties.isFixTxOffsets()) {
			notices.info("fixTxOffsets has no effect beside a transaction manager: nothing is committed beside its "
					+ "transactions, and the lag that it hides is that of transaction markers, not of records");
		}
		if (target.isBatch() && settings.ordering() != Ordering.PARTITION) {
			notices.info(settings.names().apply("ordering") + "=" + settings.ordering().name().toLowerCase(Locale.ROOT)
					+ " means for a batch listener: a batch has records of one partition, in offset order, and those "
					+ "of a partition are handled one after the other, as with ordering=partition");
		}
	}

	/** The group of its consumer factory. */
	@Nullable Object configuredGroup() {
		return this.configuredGroup;
	}

	/** What the application has asked the consumer for. */
	private boolean commitsByItself() {
		return Boolean.parseBoolean(String.valueOf(this.config.get(ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG)).trim());
	}

	/** The interval of a consumer that commits by itself, unless ours was set. */
	private Duration commitInterval(ContainerSettings settings) {
		if (!commitsByItself() || this.environment.containsProperty(settings.names().apply("commit.interval"))) {
			return settings.commitInterval();
		}
		return Duration
			.ofMillis(Math.max(1, number(ConsumerConfig.AUTO_COMMIT_INTERVAL_MS_CONFIG, DEFAULT_AUTO_COMMIT_INTERVAL)));
	}

	/** What the consumer is made with. */
	Map<String, Object> config() {
		return this.config;
	}

	/** Where a setting is that no property has set. */
	private String owner() {
		return "the properties of listener '" + this.id + "' or its consumer factory";
	}

	InvalidSettingException refused(Throwable failure) {
		return ClientRefusal.explain(ClientKind.CONSUMER, failure, this.config, owner());
	}

	private boolean isTransactional() {
		return this.properties.getKafkaAwareTransactionManager() != null;
	}

	EngineSettings settings(ContainerSettings settings, ListenerTarget target, AcknowledgmentMode mode,
			int springConcurrency) {
		int concurrency = (settings.concurrency() != null) ? settings.concurrency() : springConcurrency;
		if (!SettingChecks.isConcurrency(concurrency)) {
			throw concurrency(this.id, concurrency);
		}
		if (settings.maxPendingRecords() < concurrency) {
			Setting limit = (settings.concurrency() != null)
					? Setting.property(settings.names().apply("concurrency"), concurrency)
					: springConcurrency(this.id, concurrency);
			throw new InvalidSettingException(
					List.of(Setting.property(settings.names().apply("max-pending-records"),
							settings.maxPendingRecords()), limit),
					"listener '" + this.id + "' could never use its concurrency of " + concurrency
							+ " with fewer records at hand",
					"Write at least the concurrency (" + concurrency + "); the default is 100000.", null);
		}
		Ordering ordering = target.isBatch() ? Ordering.PARTITION : settings.ordering();
		// With transactions the offsets are theirs: an offset committed beside them could
		// replace a newer one that is still pending.
		boolean commits = hasGroup() && !isTransactional();
		boolean coverEarlier = mode.coversEarlier() && ordering == Ordering.PARTITION;
		Duration poll = Duration.ofMillis(Math.min(POLL_TIMEOUT.toMillis(), this.properties.getPollTimeout()));
		return new EngineSettings(ordering, concurrency, target.isBatch() ? maxPollRecords() : 0,
				settings.maxPendingRecords(), settings.maxPendingBytes(), commitInterval(settings),
				settings.commitTimeout(), settings.saveCompleted() && commits && !hasMetadataOfItsOwn(),
				drainTimeout(settings.drainTimeout()), settings.onDrainTimeout(), poll, settings.retry(),
				commits && commitsInitialPosition(), isConsumerProtocol(), coverEarlier, commits);
	}

	/** The metadata of a commit has room for one: the user's counts more than ours. */
	boolean hasMetadataOfItsOwn() {
		return this.properties.getOffsetAndMetadataProvider() != null;
	}

	/** What spring-kafka's factory or the annotation says is the most calls at once. */
	public static InvalidSettingException concurrency(String id, int concurrency) {
		return new InvalidSettingException(springConcurrency(id, concurrency),
				"the concurrency of listener '" + id + "' must be from 1 to " + SettingChecks.MAX_CONCURRENCY,
				"Write a number from 1 to " + SettingChecks.MAX_CONCURRENCY + ".");
	}

	private static Setting springConcurrency(String id, int concurrency) {
		return Setting.of("concurrency", concurrency,
				"@KafkaListener(concurrency) of listener '" + id + "' or its container factory",
				"spring.kafka.listener.concurrency");
	}

	/** What is said of a drain timeout above its cap, null when it is below. */
	@Nullable String drainWarning(ContainerSettings settings) {
		Duration cap = drainCap();
		if (settings.drainTimeout().compareTo(cap) <= 0) {
			return null;
		}
		return settings.names().apply("rebalance.drain-timeout") + "=" + settings.drainTimeout().toMillis()
				+ "ms is more than a third of max.poll.interval.ms and is capped at " + cap.toMillis()
				+ " ms; raise max.poll.interval.ms to drain for longer";
	}

	private Duration drainTimeout(Duration wanted) {
		Duration cap = drainCap();
		return (wanted.compareTo(cap) <= 0) ? wanted : cap;
	}

	private Duration drainCap() {
		return Duration.ofMillis(number(ConsumerConfig.MAX_POLL_INTERVAL_MS_CONFIG, DEFAULT_MAX_POLL_INTERVAL))
			.dividedBy(3);
	}

	boolean commitsInitialPosition() {
		AssignmentCommitOption option = this.properties.getAssignmentCommitOption();
		String reset = String.valueOf(this.config.getOrDefault(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "latest"));
		boolean jumps = !reset.equals("earliest") && !reset.equals("none");
		return switch (option) {
			case NEVER -> false;
			case ALWAYS -> true;
			case LATEST_ONLY, LATEST_ONLY_NO_TX -> jumps && hasGroup();
		};
	}

	String groupProtocol() {
		return String.valueOf(this.config.getOrDefault(ConsumerConfig.GROUP_PROTOCOL_CONFIG, "classic"));
	}

	/**
	 * Where the consumer finds the brokers; null when that is its factory's own affair.
	 */
	@Nullable Object servers() {
		return this.config.get(ConsumerConfig.BOOTSTRAP_SERVERS_CONFIG);
	}

	private boolean isConsumerProtocol() {
		return "consumer".equalsIgnoreCase(groupProtocol());
	}

	boolean hasGroup() {
		Object group = this.config.get(ConsumerConfig.GROUP_ID_CONFIG);
		String own = this.properties.getGroupId();
		return (own != null && !own.isBlank()) || (group != null && !String.valueOf(group).isBlank());
	}

	private int maxPollRecords() {
		return number(ConsumerConfig.MAX_POLL_RECORDS_CONFIG, DEFAULT_MAX_POLL_RECORDS);
	}

	private int number(String name, int defaultValue) {
		@Nullable Object value = this.config.get(name);
		try {
			return (value != null) ? Integer.parseInt(String.valueOf(value).trim()) : defaultValue;
		}
		catch (NumberFormatException ex) {
			// The client refuses it when it is made.
			return defaultValue;
		}
	}

}
