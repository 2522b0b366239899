package io.evenkeel.kafka.container;

import java.util.function.Function;

import org.jspecify.annotations.Nullable;
import org.springframework.kafka.core.KafkaAdmin;
import org.springframework.kafka.listener.ConsumerRecordRecoverer;

/**
 * What containers need of the application beside what spring-kafka's factory gives them.
 *
 * @param settings the settings for a listener id
 * @param meters where meters are kept
 * @param recoverer makes the recoverer of a listener with the given dead-letter suffix
 * @param admin creates dead-letter topics; null when there is none
 */
public record ContainerSupport(Function<String, ContainerSettings> settings, ListenerMeters meters,
		Function<String, ConsumerRecordRecoverer> recoverer, @Nullable KafkaAdmin admin) {
}
