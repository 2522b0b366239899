package io.evenkeel.kafka.autoconfigure;

import java.time.Duration;
import java.util.Map;

import io.evenkeel.kafka.container.ContainerSettings;
import io.evenkeel.kafka.engine.retry.RetrySettings;
import org.springframework.boot.context.properties.bind.Bindable;
import org.springframework.boot.context.properties.bind.Binder;
import org.springframework.boot.context.properties.source.ConfigurationPropertyName;
import org.springframework.boot.context.properties.source.InvalidConfigurationPropertyValueException;

/**
 * Maps the consumer's properties to the settings of a listener. A listener's own values
 * are bound over those for all, so that only what is written there differs. Values out of
 * range are refused with the property as the user wrote it.
 */
final class ConsumerSettingsMapper {

	private static final int MAX_CONCURRENCY = 10_000;

	private final Binder binder;

	private final Map<String, ConsumerSettingsProperties> listeners;

	ConsumerSettingsMapper(Binder binder, EvenkeelConsumerProperties properties) {
		this.binder = binder;
		this.listeners = properties.getListeners();
		map(properties, EvenkeelConsumerProperties.PREFIX);
		this.listeners.keySet().forEach(this::forListener);
	}

	/**
	 * The settings of a listener.
	 * @param id its id
	 * @return validated
	 */
	ContainerSettings forListener(String id) {
		ConsumerSettingsProperties merged = new ConsumerSettingsProperties();
		Bindable<ConsumerSettingsProperties> target = Bindable.ofInstance(merged);
		this.binder.bind(EvenkeelConsumerProperties.PREFIX, target);
		String prefix = EvenkeelConsumerProperties.PREFIX;
		String key = key(id);
		if (key != null) {
			ConfigurationPropertyName name = name(key);
			this.binder.bind(name, target, null);
			prefix = EvenkeelConsumerProperties.PREFIX + ".listeners." + key;
		}
		return map(merged, prefix);
	}

	/** A key with dots stands in brackets, another one is written like any property. */
	private static ConfigurationPropertyName name(String key) {
		String listeners = EvenkeelConsumerProperties.PREFIX + ".listeners";
		return key.matches("[A-Za-z0-9_-]+") ? ConfigurationPropertyName.adapt(listeners + "." + key, '.')
				: ConfigurationPropertyName.of(listeners + "[" + key + "]");
	}

	private @org.jspecify.annotations.Nullable String key(String id) {
		if (this.listeners.containsKey(id)) {
			return id;
		}
		String wanted = uniform(id);
		return this.listeners.keySet()
			.stream()
			.filter((candidate) -> uniform(candidate).equals(wanted))
			.findFirst()
			.orElse(null);
	}

	/** An environment variable cannot carry the case and the hyphens of an id. */
	static String uniform(String id) {
		return id.replaceAll("[^A-Za-z0-9]", "").toLowerCase(java.util.Locale.ROOT);
	}

	private static ContainerSettings map(ConsumerSettingsProperties properties, String prefix) {
		Integer concurrency = properties.getConcurrency();
		if (concurrency != null) {
			check(concurrency >= 1 && concurrency <= MAX_CONCURRENCY, prefix + ".concurrency", concurrency,
					"Write a number from 1 to 10000.");
		}
		int least = (concurrency != null) ? concurrency : 1;
		check(properties.getMaxPendingRecords() >= least, prefix + ".max-pending-records",
				properties.getMaxPendingRecords(),
				"Write a number that is at least the concurrency (" + least + "); the default is 10000.");
		ConsumerSettingsProperties.Commit commit = properties.getCommit();
		positive(commit.getInterval(), prefix + ".commit.interval", "1s");
		positive(commit.getTimeout(), prefix + ".commit.timeout", "5s");
		ConsumerSettingsProperties.Rebalance rebalance = properties.getRebalance();
		positive(rebalance.getDrainTimeout(), prefix + ".rebalance.drain-timeout", "10s");
		ConsumerSettingsProperties.Restart restart = properties.getRestart();
		positive(restart.getInitialInterval(), prefix + ".restart.initial-interval", "1s");
		positive(restart.getMaxInterval(), prefix + ".restart.max-interval", "30s");
		ConsumerSettingsProperties.Recovery recovery = properties.getRecovery();
		check(!recovery.getTopicSuffix().isBlank(), prefix + ".recovery.topic-suffix", recovery.getTopicSuffix(),
				"Write a suffix that makes another topic's name, such as -dlt.");
		return new ContainerSettings(properties.getOrdering(), concurrency, properties.getMaxPendingRecords(),
				commit.getInterval(), commit.getTimeout(), commit.isSaveCompleted(), rebalance.getDrainTimeout(),
				rebalance.getOnDrainTimeout(), retry(properties.getRetry(), prefix + ".retry"),
				properties.getRetry().getNotRetryable(), recovery.getOnExhausted(), recovery.getTopicSuffix(),
				recovery.isCreateTopics(), restart.getInitialInterval(), restart.getMaxInterval());
	}

	private static RetrySettings retry(ConsumerSettingsProperties.Retry retry, String prefix) {
		check(retry.getMaxAttempts() >= 1, prefix + ".max-attempts", retry.getMaxAttempts(),
				"Write at least 1: the first call counts.");
		positive(retry.getInitialInterval(), prefix + ".initial-interval", "500ms");
		positive(retry.getMaxInterval(), prefix + ".max-interval", "30s");
		check(retry.getMultiplier() >= 1 && Double.isFinite(retry.getMultiplier()), prefix + ".multiplier",
				retry.getMultiplier(), "Write a number of at least 1.");
		check(retry.getJitter() >= 0 && retry.getJitter() <= 1, prefix + ".jitter", retry.getJitter(),
				"Write a number from 0 to 1.");
		return new RetrySettings(retry.getMaxAttempts(), retry.getInitialInterval(), retry.getMultiplier(),
				retry.getMaxInterval(), retry.getJitter());
	}

	private static void positive(Duration value, String name, String example) {
		check(!value.isNegative() && !value.isZero(), name, value,
				"Write a duration above zero, such as " + example + ".");
	}

	private static void check(boolean valid, String name, Object value, String reason) {
		if (!valid) {
			throw new InvalidConfigurationPropertyValueException(name, value, reason);
		}
	}

}
