package io.evenkeel.kafka.autoconfigure;

import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.UnaryOperator;

import io.evenkeel.kafka.autoconfigure.EvenkeelProducerProperties.Topic;
import io.evenkeel.kafka.autoconfigure.EvenkeelProducerProperties.TopicRetry;
import io.evenkeel.kafka.config.SettingChecks;
import io.evenkeel.kafka.producer.ProducerLimits;
import io.evenkeel.kafka.producer.ProducerSettings;
import io.evenkeel.kafka.producer.ProducerSettings.TopicSettings;
import org.jspecify.annotations.Nullable;

/**
 * Turns properties into the settings of a producer, and refuses what cannot be meant.
 */
final class ProducerSettingsMapper implements ProducerLimits {

	static final String DELIVERY_TIMEOUT = EvenkeelProducerProperties.PREFIX + ".delivery-timeout";

	private static final String PREFIX = EvenkeelProducerProperties.PREFIX + ".";

	private final EvenkeelProducerProperties properties;

	ProducerSettingsMapper(EvenkeelProducerProperties properties) {
		this.properties = properties;
	}

	@Override
	public ProducerSettings settings(@Nullable Duration maxBlock) {
		TopicSettings defaults = defaults((maxBlock != null) ? maxBlock : this.properties.getMetadata().getTimeout());
		Map<String, TopicSettings> topics = new LinkedHashMap<>();
		this.properties.getTopics().forEach((name, topic) -> topics.put(name, topic(name, topic, defaults)));
		atLeastOne(PREFIX + "buffer.max-records", this.properties.getBuffer().getMaxRecords());
		long maxBytes = this.properties.getBuffer().getMaxBytes().toBytes();
		SettingChecks.check(maxBytes >= 1, PREFIX + "buffer.max-bytes", this.properties.getBuffer().getMaxBytes(),
				"nothing could wait", "Write at least 1B, for example 16MB.");
		Duration shutdown = SettingChecks.durationOrZero(PREFIX + "shutdown.timeout",
				this.properties.getShutdown().getTimeout(), "does not wait");
		SettingChecks.duration(PREFIX + "startup.timeout", this.properties.getStartup().getTimeout(), "5s");
		Duration delivery = this.properties.getDeliveryTimeout();
		if (delivery != null) {
			SettingChecks.duration(DELIVERY_TIMEOUT, delivery, "120s");
			SettingChecks.check(delivery.toMillis() <= Integer.MAX_VALUE, DELIVERY_TIMEOUT, delivery,
					"the Kafka client counts it in milliseconds up to " + Integer.MAX_VALUE,
					"Write at most 24d, for example " + DELIVERY_TIMEOUT + "=120s.");
		}
		return new ProducerSettings(defaults, topics, this.properties.getBuffer().getMaxRecords(), maxBytes,
				this.properties.getBuffer().getWhenFull(),
				(delivery != null) ? delivery : ProducerSettings.DEFAULTS.deliveryTimeout(), shutdown);
	}

	private TopicSettings defaults(Duration timeout) {
		EvenkeelProducerProperties.Retry retry = this.properties.getMetadata().getRetry();
		Integer maxAttempts = retry.getMaxAttempts();
		TopicSettings settings = new TopicSettings(timeout, this.properties.getMetadata().getUnknownTopicTimeout(),
				retry.getInitialInterval(), retry.getMultiplier(), retry.getMaxInterval(), retry.getJitter(),
				(maxAttempts != null) ? maxAttempts : Integer.MAX_VALUE,
				this.properties.getFailFast().getOpenDuration());
		return checked(PREFIX, settings);
	}

	private static TopicSettings topic(String name, Topic topic, TopicSettings defaults) {
		TopicRetry retry = topic.getMetadata().getRetry();
		TopicSettings settings = new TopicSettings(or(topic.getMetadata().getTimeout(), defaults.metadataTimeout()),
				or(topic.getMetadata().getUnknownTopicTimeout(), defaults.unknownTopicTimeout()),
				or(retry.getInitialInterval(), defaults.initialInterval()),
				or(retry.getMultiplier(), defaults.multiplier()), or(retry.getMaxInterval(), defaults.maxInterval()),
				or(retry.getJitter(), defaults.jitter()), or(retry.getMaxAttempts(), defaults.maxAttempts()),
				or(topic.getFailFast().getOpenDuration(), defaults.failFastOpenDuration()));
		return checked(MapKeys.below(PREFIX + "topics", name) + ".", settings);
	}

	private static <T> T or(@Nullable T value, T other) {
		return (value != null) ? value : other;
	}

	private static TopicSettings checked(String prefix, TopicSettings settings) {
		String retry = prefix + "metadata.retry.";
		SettingChecks.duration(prefix + "metadata.timeout", settings.metadataTimeout(), "60s");
		SettingChecks.duration(prefix + "metadata.unknown-topic-timeout", settings.unknownTopicTimeout(), "10s");
		SettingChecks.intervals(retry, UnaryOperator.identity(), settings.initialInterval(), settings.maxInterval(),
				"100ms", "1s");
		SettingChecks.growth(retry, UnaryOperator.identity(), settings.multiplier(), settings.jitter());
		atLeastOne(retry + "max-attempts", settings.maxAttempts());
		SettingChecks.durationOrZero(prefix + "fail-fast.open-duration", settings.failFastOpenDuration(),
				"switches it off");
		return settings;
	}

	private static void atLeastOne(String name, int value) {
		SettingChecks.check(value >= 1, name, value, "it must be at least 1", "Write a number of at least 1.");
	}

}
