package io.evenkeel.kafka.autoconfigure;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;

import io.evenkeel.kafka.config.InvalidSettingException;
import io.evenkeel.kafka.config.Setting;
import io.evenkeel.kafka.config.SettingChecks;
import io.evenkeel.kafka.container.listener.ContainerSettings;
import io.evenkeel.kafka.container.listener.HandlerSettings;
import io.evenkeel.kafka.engine.retry.RetrySettings;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.context.properties.bind.Bindable;
import org.springframework.boot.context.properties.bind.Binder;
import org.springframework.boot.context.properties.source.ConfigurationPropertyName;

/**
 * Maps the consumer's properties to the settings of a listener. A listener's own values
 * are bound over those for all, so that only what is written there differs. Values out of
 * range are refused with the property as the user wrote it.
 */
final class ConsumerSettingsMapper {

	private static final String PREFIX = EvenkeelConsumerProperties.PREFIX + ".";

	private final Binder binder;

	private final Map<String, ConsumerSettingsProperties> listeners;

	private final boolean exceptionMessages;

	ConsumerSettingsMapper(Binder binder, EvenkeelConsumerProperties properties, EvenkeelLoggingProperties logging) {
		this.binder = binder;
		this.exceptionMessages = logging.isExceptionMessages();
		this.listeners = properties.getListeners();
		map(properties, (name) -> PREFIX + name);
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
		String key = key(id);
		if (key == null) {
			return map(merged, (name) -> PREFIX + name);
		}
		String own = MapKeys.below(PREFIX + "listeners", key);
		this.binder.bind(ConfigurationPropertyName.adapt(own, '.'), target, null);
		return map(merged, (name) -> isSet(own + "." + name) ? own + "." + name : PREFIX + name);
	}

	private boolean isSet(String property) {
		ConfigurationPropertyName name = ConfigurationPropertyName.adapt(property, '.');
		return this.binder.bind(name, Bindable.of(Object.class), null).isBound();
	}

	private @Nullable String key(String id) {
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

	private ContainerSettings map(ConsumerSettingsProperties properties, UnaryOperator<String> names) {
		Integer concurrency = properties.getConcurrency();
		if (concurrency != null) {
			SettingChecks.check(SettingChecks.isConcurrency(concurrency), names.apply("concurrency"), concurrency,
					"it must be from 1 to " + SettingChecks.MAX_CONCURRENCY,
					"Write a number from 1 to " + SettingChecks.MAX_CONCURRENCY + ".");
		}
		pending(properties.getMaxPendingRecords(), concurrency, names);
		long maxBytes = properties.getMaxPendingBytes().toBytes();
		SettingChecks.check(maxBytes >= 1, names.apply("max-pending-bytes"), properties.getMaxPendingBytes(),
				"nothing could be held", "Write at least 1B, for example 64MB.");
		ConsumerSettingsProperties.Commit commit = properties.getCommit();
		duration(commit.getInterval(), names, "commit.interval", "1s");
		duration(commit.getTimeout(), names, "commit.timeout", "5s");
		ConsumerSettingsProperties.Rebalance rebalance = properties.getRebalance();
		duration(rebalance.getDrainTimeout(), names, "rebalance.drain-timeout", "10s");
		ConsumerSettingsProperties.Restart restart = properties.getRestart();
		SettingChecks.intervals("restart.", names, restart.getInitialInterval(), restart.getMaxInterval(), "1s", "30s");
		ConsumerSettingsProperties.Recovery recovery = properties.getRecovery();
		SettingChecks.check(recovery.getTopicSuffix().matches("[A-Za-z0-9._-]{1,200}"),
				names.apply("recovery.topic-suffix"), recovery.getTopicSuffix(),
				"a topic's name has letters, digits, '.', '_' and '-' only",
				"Write a suffix that makes another topic's name, such as -dlt.");
		return new ContainerSettings(properties.getOrdering(), concurrency, properties.getMaxPendingRecords(), maxBytes,
				commit.getInterval(), commit.getTimeout(), commit.isSaveCompleted(), rebalance.getDrainTimeout(),
				rebalance.getOnDrainTimeout(), retry(properties.getRetry(), names),
				properties.getRetry().getNotRetryable(), recovery.getOnExhausted(), recovery.getTopicSuffix(),
				recovery.isCreateTopics(), restart.getInitialInterval(), restart.getMaxInterval(),
				handler(properties.getHandler(), names), names);
	}

	private HandlerSettings handler(ConsumerSettingsProperties.Handler handler, UnaryOperator<String> names) {
		SettingChecks.durationOrZero(names.apply("handler.warn-after"), handler.getWarnAfter(), "switches it off");
		Duration timeout = handler.getTimeout();
		if (timeout != null) {
			duration(timeout, names, "handler.timeout", "5m");
		}
		return new HandlerSettings(handler.getWarnAfter(), (timeout != null) ? timeout : Duration.ZERO,
				this.exceptionMessages);
	}

	private static void pending(int maxPending, @Nullable Integer concurrency, UnaryOperator<String> names) {
		Setting setting = Setting.property(names.apply("max-pending-records"), maxPending);
		if (concurrency != null && maxPending < concurrency) {
			throw new InvalidSettingException(
					List.of(setting, Setting.property(names.apply("concurrency"), concurrency)),
					"the concurrency could never be used with fewer records at hand",
					"Write a number that is at least the concurrency (" + concurrency + "); the default is 100000.",
					null);
		}
		SettingChecks.check(maxPending >= 1, setting.name(), maxPending, "it must be at least the concurrency",
				"Write a number that is at least the concurrency; the default is 100000.");
	}

	private static RetrySettings retry(ConsumerSettingsProperties.Retry retry, UnaryOperator<String> names) {
		SettingChecks.check(retry.getMaxAttempts() >= 1, names.apply("retry.max-attempts"), retry.getMaxAttempts(),
				"it must be at least 1: the first call counts", "Write at least 1.");
		SettingChecks.intervals("retry.", names, retry.getInitialInterval(), retry.getMaxInterval(), "500ms", "30s");
		SettingChecks.growth("retry.", names, retry.getMultiplier(), retry.getJitter());
		exceptions(retry.getNotRetryable(), names);
		return new RetrySettings(retry.getMaxAttempts(), retry.getInitialInterval(), retry.getMultiplier(),
				retry.getMaxInterval(), retry.getJitter());
	}

	/** A list has one property, separated by commas, or one for each element. */
	private static void exceptions(List<Class<? extends Throwable>> types, UnaryOperator<String> names) {
		String list = "retry.not-retryable";
		for (int i = 0; i < types.size(); i++) {
			// Bound by its name alone, whatever its type.
			Class<?> type = types.get(i);
			if (!Throwable.class.isAssignableFrom(type)) {
				throw new InvalidSettingException(
						new Setting(names.apply(list), type.getName(), null,
								List.of(names.apply(list + "[" + i + "]"))),
						type.getName() + " is no exception",
						"Write the names of exception classes, separated by commas.");
			}
		}
	}

	private static void duration(Duration value, UnaryOperator<String> names, String name, String example) {
		SettingChecks.duration(names.apply(name), value, example);
	}

}
