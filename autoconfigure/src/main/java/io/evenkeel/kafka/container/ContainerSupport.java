package io.evenkeel.kafka.container;

import java.util.function.Function;

import org.springframework.kafka.listener.ConsumerRecordRecoverer;

/**
 * What containers need of the application beside what spring-kafka's factory gives them.
 *
 * @param settings the settings for a listener id
 * @param meters where meters are kept
 * @param recoverer makes the recoverer of a listener with the given dead-letter suffix
 */
public record ContainerSupport(Function<String, ContainerSettings> settings, ListenerMeters meters,
		Function<String, ConsumerRecordRecoverer> recoverer) {
}
