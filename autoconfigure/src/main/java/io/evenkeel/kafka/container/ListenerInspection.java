package io.evenkeel.kafka.container;

import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Properties;

import io.evenkeel.kafka.engine.EngineSettings;
import io.evenkeel.kafka.engine.dispatch.Ordering;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.kafka.core.ConsumerFactory;
import org.springframework.kafka.listener.ContainerProperties;
import org.springframework.kafka.listener.ContainerProperties.AssignmentCommitOption;

/**
 * Reads what a listener was configured with, refuses what cannot work, and says the rest
 * in the engine's terms.
 */
final class ListenerInspection {

	private static final Logger logger = LoggerFactory.getLogger(ListenerInspection.class);

	private static final Duration POLL_TIMEOUT = Duration.ofMillis(100);

	private static final int MAX_CONCURRENCY = 10_000;

	private static final int DEFAULT_MAX_POLL_RECORDS = 500;

	private static final int DEFAULT_MAX_POLL_INTERVAL = 300_000;

	private final String id;

	private final Map<String, Object> config;

	private final ContainerProperties properties;

	ListenerInspection(String id, ConsumerFactory<?, ?> factory, Properties overrides, ContainerProperties properties) {
		this.id = id;
		this.properties = properties;
		this.config = new HashMap<>(factory.getConfigurationProperties());
		overrides.stringPropertyNames().forEach((name) -> this.config.put(name, overrides.getProperty(name)));
		overrides.forEach((name, value) -> this.config.putIfAbsent(String.valueOf(name), value));
	}

	/** Refuse what our container cannot do. */
	void check(ContainerSettings settings, ListenerTarget target) {
		Object autoCommit = this.config.get(ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG);
		if (autoCommit != null && Boolean.parseBoolean(String.valueOf(autoCommit))) {
			throw new InvalidListenerException("spring.kafka.consumer.enable-auto-commit", "true",
					"listener '" + this.id + "' commits what its handlers have completed; a consumer that commits by "
							+ "itself would commit records that are still in hand (enable.auto.commit=true)",
					"Remove spring.kafka.consumer.enable-auto-commit (or enable.auto.commit wherever it is set), or set "
							+ "it to false. A listener that needs it can use "
							+ "@KafkaListener(containerFactory = \"springKafkaListenerContainerFactory\").");
		}
		ContainerRefusals.check(this.id, this.properties, settings, target);
	}

	private boolean isTransactional() {
		return this.properties.getKafkaAwareTransactionManager() != null;
	}

	EngineSettings settings(ContainerSettings settings, ListenerTarget target, AcknowledgmentMode mode,
			int springConcurrency) {
		int concurrency = (settings.concurrency() != null) ? settings.concurrency() : springConcurrency;
		if (concurrency < 1 || concurrency > MAX_CONCURRENCY) {
			throw new InvalidListenerException("evenkeel.kafka.consumer.concurrency", String.valueOf(concurrency),
					"the concurrency of listener '" + this.id + "' must be between 1 and " + MAX_CONCURRENCY,
					"Write a number in that range.");
		}
		if (settings.maxPendingRecords() < concurrency) {
			throw new InvalidListenerException("evenkeel.kafka.consumer.max-pending-records",
					String.valueOf(settings.maxPendingRecords()),
					"listener '" + this.id + "' could never use its concurrency of " + concurrency
							+ " with fewer records at hand",
					"Write at least the concurrency (" + concurrency + "); the default is 10000.");
		}
		Ordering ordering = target.isBatch() ? Ordering.PARTITION : settings.ordering();
		// With transactions the offsets are theirs: an offset committed beside them could
		// replace a newer one that is still pending.
		boolean commits = hasGroup() && !isTransactional();
		boolean coverEarlier = mode.isManual() && ordering == Ordering.PARTITION && !mode.outOfOrder();
		Duration poll = Duration.ofMillis(Math.min(POLL_TIMEOUT.toMillis(), this.properties.getPollTimeout()));
		return new EngineSettings(ordering, concurrency, target.isBatch() ? maxPollRecords() : 0,
				settings.maxPendingRecords(), settings.commitInterval(), settings.commitTimeout(),
				settings.saveCompleted() && commits && !hasMetadataOfItsOwn(), drainTimeout(settings.drainTimeout()),
				settings.onDrainTimeout(), poll, settings.retry(), commits && commitsInitialPosition(),
				isConsumerProtocol(), coverEarlier, commits);
	}

	/** The metadata of a commit has room for one: the user's counts more than ours. */
	private boolean hasMetadataOfItsOwn() {
		if (this.properties.getOffsetAndMetadataProvider() == null) {
			return false;
		}
		logger.info("{}: evenkeel.kafka.consumer.commit.save-completed is off for this listener, as its "
				+ "OffsetAndMetadataProvider fills the metadata of the commits", this.id);
		return true;
	}

	private Duration drainTimeout(Duration wanted) {
		Duration cap = Duration.ofMillis(number(ConsumerConfig.MAX_POLL_INTERVAL_MS_CONFIG, DEFAULT_MAX_POLL_INTERVAL))
			.dividedBy(3);
		if (wanted.compareTo(cap) <= 0) {
			return wanted;
		}
		logger.warn(
				"{}: evenkeel.kafka.consumer.rebalance.drain-timeout={}ms is more than a third of "
						+ "max.poll.interval.ms and is capped at {} ms; raise max.poll.interval.ms to drain for longer",
				this.id, wanted.toMillis(), cap.toMillis());
		return cap;
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
		return (value != null) ? Integer.parseInt(String.valueOf(value).trim()) : defaultValue;
	}

}
