package io.evenkeel.kafka.container.call;

import java.util.HashMap;
import java.util.Map;
import java.util.function.Function;

import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.jspecify.annotations.Nullable;
import org.springframework.context.ApplicationContext;
import org.springframework.kafka.listener.ContainerProperties;
import org.springframework.kafka.support.KafkaUtils;
import org.springframework.kafka.support.micrometer.MicrometerHolder;

/**
 * Times listener calls with spring-kafka's own timers: same name, same tags.
 */
public final class MicrometerCallTimer implements CallTimer {

	private final MicrometerHolder holder;

	private final boolean perRecord;

	private MicrometerCallTimer(MicrometerHolder holder, boolean perRecord) {
		this.holder = holder;
		this.perRecord = perRecord;
	}

	/**
	 * Make the timer of a container.
	 * @param context where the registry is
	 * @param name the value of the tag {@code name}
	 * @param properties the container's
	 * @return {@link CallTimer#NONE} when there is no registry or nothing is to be timed
	 */
	public static CallTimer create(@Nullable ApplicationContext context, String name, ContainerProperties properties) {
		if (!KafkaUtils.MICROMETER_PRESENT || !properties.isMicrometerEnabled() || properties.isObservationEnabled()
				|| context == null) {
			return CallTimer.NONE;
		}
		Function<ConsumerRecord<?, ?>, Map<String, String>> provider = properties.getMicrometerTagsProvider();
		Function<@Nullable Object, Map<String, String>> tags = (record) -> {
			Map<String, String> merged = new HashMap<>(properties.getMicrometerTags());
			if (provider != null && record instanceof ConsumerRecord<?, ?> consumed) {
				merged.putAll(provider.apply(consumed));
			}
			return merged;
		};
		try {
			return new MicrometerCallTimer(
					new MicrometerHolder(context, name, "spring.kafka.listener", "Kafka Listener Timer", tags),
					provider != null);
		}
		catch (IllegalStateException ex) {
			// No registry, or no single one: spring-kafka does not time then either.
			return CallTimer.NONE;
		}
	}

	@Override
	public @Nullable Object start() {
		return this.holder.start();
	}

	@Override
	public void success(@Nullable Object sample, ConsumerRecord<?, ?> record) {
		if (sample == null) {
			return;
		}
		if (this.perRecord) {
			this.holder.success(sample, record);
		}
		else {
			this.holder.success(sample);
		}
	}

	@Override
	public void failure(@Nullable Object sample, ConsumerRecord<?, ?> record, Throwable failure) {
		if (sample == null) {
			return;
		}
		Throwable cause = (failure.getCause() != null) ? failure.getCause() : failure;
		if (this.perRecord) {
			this.holder.failure(sample, cause.getClass().getSimpleName(), record);
		}
		else {
			this.holder.failure(sample, cause.getClass().getSimpleName());
		}
	}

}
