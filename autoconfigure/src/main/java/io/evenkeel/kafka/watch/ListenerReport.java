package io.evenkeel.kafka.watch;

import java.time.Duration;

import org.jspecify.annotations.Nullable;

/**
 * What a listener is doing at a moment, and why.
 *
 * @param state what it is doing
 * @param reason in words, null where the state says it all
 * @param silence how long no broker has answered; null unless it is
 * {@link ListenerState#NO_BROKER}, or would be were it not for a state that comes before
 */
public record ListenerReport(ListenerState state, @Nullable String reason, @Nullable Duration silence) {
}
