package io.evenkeel.kafka.container;

import java.util.function.Function;

import io.evenkeel.kafka.container.failure.SendFailures;
import io.evenkeel.kafka.container.listener.ContainerSettings;
import io.evenkeel.kafka.thread.NanoClock;
import org.springframework.kafka.listener.ConsumerRecordRecoverer;

/**
 * What containers need of the application beside what spring-kafka's factory gives them.
 *
 * @param settings the settings for a listener id
 * @param meters where meters are kept
 * @param recoverer makes the recoverer of a listener with the given dead-letter suffix
 * @param sends tells why sends in a listener's transaction failed
 * @param clock the time that listeners go by
 */
public record ContainerDependencies(Function<String, ContainerSettings> settings, ListenerMeters meters,
		Function<String, ConsumerRecordRecoverer> recoverer, SendFailures sends, NanoClock clock) {

	/**
	 * For producers that throw nothing but Kafka's own exceptions.
	 * @param settings the settings for a listener id
	 * @param meters where meters are kept
	 * @param recoverer makes the recoverer of a listener with the given dead-letter
	 * suffix
	 */
	public ContainerDependencies(Function<String, ContainerSettings> settings, ListenerMeters meters,
			Function<String, ConsumerRecordRecoverer> recoverer) {
		this(settings, meters, recoverer, SendFailures.NONE, NanoClock.SYSTEM);
	}

}
