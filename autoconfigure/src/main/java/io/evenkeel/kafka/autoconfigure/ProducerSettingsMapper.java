package io.evenkeel.kafka.autoconfigure;

import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;

import io.evenkeel.kafka.autoconfigure.EvenkeelProducerProperties.Topic;
import io.evenkeel.kafka.autoconfigure.EvenkeelProducerProperties.TopicRetry;
import io.evenkeel.kafka.producer.ProducerSettings;
import io.evenkeel.kafka.producer.ProducerSettings.TopicSettings;
import org.jspecify.annotations.Nullable;

import org.springframework.boot.context.properties.source.InvalidConfigurationPropertyValueException;

/**
 * Turns properties into the settings of a producer, and refuses what cannot be meant.
 */
final class ProducerSettingsMapper {

	private static final String PREFIX = EvenkeelProducerProperties.PREFIX + ".";

	private final EvenkeelProducerProperties properties;

	ProducerSettingsMapper(EvenkeelProducerProperties properties) {
		this.properties = properties;
	}

	/**
	 * The settings.
	 * @param maxBlock the user's {@code max.block.ms}, which takes the place of
	 * {@code metadata.timeout}
	 * @return the settings
	 */
	ProducerSettings map(@Nullable Duration maxBlock) {
		TopicSettings defaults = defaults((maxBlock != null) ? maxBlock : this.properties.getMetadata().getTimeout());
		Map<String, TopicSettings> topics = new LinkedHashMap<>();
		this.properties.getTopics().forEach((name, topic) -> topics.put(name, topic(name, topic, defaults)));
		atLeastOne(PREFIX + "buffer.max-records", this.properties.getBuffer().getMaxRecords());
		long maxBytes = this.properties.getBuffer().getMaxBytes().toBytes();
		if (maxBytes < 1) {
			throw refused(PREFIX + "buffer.max-bytes", this.properties.getBuffer().getMaxBytes(),
					"Must be at least 1B, for example '16MB'.");
		}
		Duration shutdown = notNegative(PREFIX + "shutdown.timeout", this.properties.getShutdown().getTimeout());
		positive(PREFIX + "startup.timeout", this.properties.getStartup().getTimeout());
		Duration delivery = this.properties.getDeliveryTimeout();
		if (delivery != null) {
			positive(PREFIX + "delivery-timeout", delivery);
		}
		return new ProducerSettings(defaults, topics, this.properties.getBuffer().getMaxRecords(), maxBytes,
				(delivery != null) ? delivery : ProducerSettings.DEFAULTS.deliveryTimeout(), shutdown);
	}

	private TopicSettings defaults(Duration timeout) {
		EvenkeelProducerProperties.Retry retry = this.properties.getMetadata().getRetry();
		Integer maxAttempts = retry.getMaxAttempts();
		TopicSettings settings = new TopicSettings(timeout, retry.getInitialInterval(), retry.getMultiplier(),
				retry.getMaxInterval(), retry.getJitter(), (maxAttempts != null) ? maxAttempts : Integer.MAX_VALUE,
				this.properties.getFailFast().getOpenDuration());
		return checked(PREFIX, settings);
	}

	private static TopicSettings topic(String name, Topic topic, TopicSettings defaults) {
		TopicRetry retry = topic.getMetadata().getRetry();
		TopicSettings settings = new TopicSettings(or(topic.getMetadata().getTimeout(), defaults.metadataTimeout()),
				or(retry.getInitialInterval(), defaults.initialInterval()),
				or(retry.getMultiplier(), defaults.multiplier()), or(retry.getMaxInterval(), defaults.maxInterval()),
				or(retry.getJitter(), defaults.jitter()), or(retry.getMaxAttempts(), defaults.maxAttempts()),
				or(topic.getFailFast().getOpenDuration(), defaults.failFastOpenDuration()));
		return checked(PREFIX + "topics." + name + ".", settings);
	}

	private static <T> T or(@Nullable T value, T other) {
		return (value != null) ? value : other;
	}

	private static TopicSettings checked(String prefix, TopicSettings settings) {
		String retry = prefix + "metadata.retry.";
		positive(prefix + "metadata.timeout", settings.metadataTimeout());
		positive(retry + "initial-interval", settings.initialInterval());
		positive(retry + "max-interval", settings.maxInterval());
		if (settings.multiplier() < 1 || Double.isNaN(settings.multiplier())) {
			throw refused(retry + "multiplier", settings.multiplier(), "Must be at least 1, for example '2.0'.");
		}
		if (settings.jitter() < 0 || settings.jitter() > 1 || Double.isNaN(settings.jitter())) {
			throw refused(retry + "jitter", settings.jitter(), "Must be from 0 to 1, for example '0.2'.");
		}
		atLeastOne(retry + "max-attempts", settings.maxAttempts());
		notNegative(prefix + "fail-fast.open-duration", settings.failFastOpenDuration());
		return settings;
	}

	private static void atLeastOne(String name, int value) {
		if (value < 1) {
			throw refused(name, value, "Must be at least 1.");
		}
	}

	private static void positive(String name, Duration value) {
		if (value.isZero() || value.isNegative()) {
			throw refused(name, value, "Must be longer than nothing, for example '10s'.");
		}
	}

	private static Duration notNegative(String name, Duration value) {
		if (value.isNegative()) {
			throw refused(name, value, "Must not be negative; '0' switches it off.");
		}
		return value;
	}

	private static InvalidConfigurationPropertyValueException refused(String name, Object value, String reason) {
		return new InvalidConfigurationPropertyValueException(name, value, reason);
	}

}
