package io.evenkeel.kafka.producer;

import java.time.Duration;
import java.util.List;

import io.evenkeel.kafka.producer.ProducerSettings.TopicSettings;
import io.evenkeel.kafka.producer.line.LineEnd;
import org.jspecify.annotations.Nullable;

/**
 * Makes the exceptions of failed sends and words their messages.
 */
final class Failures {

	private static final double NANOS_PER_TENTH = 1e8;

	private final List<String> bootstrapServers;

	private final ProducerSettings settings;

	private final ClusterEvidence evidence;

	Failures(List<String> bootstrapServers, ProducerSettings settings, ClusterEvidence evidence) {
		this.bootstrapServers = bootstrapServers;
		this.settings = settings;
		this.evidence = evidence;
	}

	/** A record that failed in its line, or at its door. */
	SendFailedException inLine(String topic, LineEnd<Diagnosis> end, long elapsed, long now) {
		TopicSettings limits = this.settings.topic(topic);
		Diagnosis found = end.cause();
		return switch (end.kind()) {
			case TIMED_OUT -> make(topic, orUnknown(found), waitPhase(found), elapsed, end.attempts(), false, now,
					"metadata.timeout=" + simple(limits.metadataTimeout()));
			case UNKNOWN_TOPIC -> make(topic, orUnknown(found), FailurePhase.METADATA, elapsed, end.attempts(), false,
					now, unknownLimit(limits));
			case ATTEMPTS_EXHAUSTED -> make(topic, orUnknown(found), waitPhase(found), elapsed, end.attempts(), false,
					now, "metadata.retry.max-attempts=" + limits.maxAttempts());
			case REFUSED ->
				make(topic, orUnknown(found), FailurePhase.METADATA, elapsed, end.attempts(), false, now, null);
			case FAIL_FAST -> make(topic, failFast(found), FailurePhase.METADATA, elapsed, 0, false, now,
					"fail-fast.open-duration=" + simple(limits.failFastOpenDuration()));
			case BUFFER_FULL ->
				make(topic, new Diagnosis(FailureReason.BUFFER_FULL, "too many records or bytes wait already", null),
						FailurePhase.BUFFER, elapsed, 0, false, now,
						"buffer.max-records=" + this.settings.bufferMaxRecords() + ", buffer.max-bytes="
								+ this.settings.bufferMaxBytes());
			case CLOSED -> closed(topic, elapsed, end.attempts(), now);
		};
	}

	private static String unknownLimit(TopicSettings limits) {
		return "metadata.unknown-topic-timeout=" + simple(limits.unknownTopicLimit());
	}

	/** What is said of records that have waited for long, and still do. */
	String waiting(String topic, Diagnosis found, long elapsed, long now) {
		TopicSettings limits = this.settings.topic(topic);
		boolean unknown = found.reason() == FailureReason.TOPIC_NOT_FOUND
				|| found.reason() == FailureReason.PARTITION_NOT_FOUND;
		return "sends to topic '" + TopicNames.printable(topic) + "' have waited for " + seconds(elapsed) + ": "
				+ found.reason() + " (" + detail(found, now) + "). Limit: "
				+ (unknown ? unknownLimit(limits) : "metadata.timeout=" + simple(limits.metadataTimeout())) + '.';
	}

	SendFailedException closed(String topic, long elapsed, int attempts, long now) {
		return make(topic, new Diagnosis(FailureReason.CLOSED, "the producer was closed", null), FailurePhase.METADATA,
				elapsed, attempts, false, now, "shutdown.timeout=" + simple(this.settings.shutdownTimeout()));
	}

	/** A record that was refused before it was handed over. */
	SendFailedException local(String topic, Diagnosis found, long elapsed, int attempts, long now) {
		return make(topic, found, FailurePhase.METADATA, elapsed, attempts, false, now, null);
	}

	/** A record inside a transaction whose topic was waited for in vain. */
	SendFailedException waited(String topic, Diagnosis found, long elapsed, long now) {
		return make(topic, found, waitPhase(found), elapsed, 1, false, now,
				"metadata.timeout=" + simple(this.settings.topic(topic).metadataTimeout()));
	}

	/** A record for which there was no room, and whose sender could not wait. */
	SendFailedException full(String topic, Diagnosis found, long elapsed, long now) {
		return make(topic, found, FailurePhase.BUFFER, elapsed, 0, false, now, null);
	}

	/** A record that was handed over. */
	SendFailedException delivery(String topic, Diagnosis found, boolean possiblySent, long elapsed, int attempts,
			long now) {
		String limit = (found.reason() == FailureReason.DELIVERY_TIMEOUT)
				? "delivery-timeout=" + simple(this.settings.deliveryTimeout()) : null;
		return make(topic, found, FailurePhase.DELIVERY, elapsed, attempts, possiblySent, now, limit);
	}

	private static Diagnosis orUnknown(@Nullable Diagnosis found) {
		return (found != null) ? found : Diagnosis.of(FailureReason.UNKNOWN);
	}

	private static FailurePhase waitPhase(@Nullable Diagnosis found) {
		boolean memory = found != null && found.reason() == FailureReason.BUFFER_FULL;
		return memory ? FailurePhase.BUFFER : FailurePhase.METADATA;
	}

	private static Diagnosis failFast(@Nullable Diagnosis found) {
		Diagnosis original = orUnknown(found);
		String detail = original.detail();
		return new Diagnosis(FailureReason.FAIL_FAST,
				"the wait for this topic failed before: " + original.reason() + ((detail != null) ? ", " + detail : ""),
				original.cause());
	}

	private SendFailedException make(String topic, Diagnosis found, FailurePhase phase, long elapsed, int attempts,
			boolean possiblySent, long now, @Nullable String limit) {
		StringBuilder text = new StringBuilder("Send to topic '").append(TopicNames.printable(topic))
			.append("' failed: ")
			.append(found.reason())
			.append(" after ")
			.append(seconds(elapsed))
			.append(" (")
			.append(attempts)
			.append((attempts == 1) ? " attempt; " : " attempts; ")
			.append(detail(found, now))
			.append("). ");
		text.append(fate(found.reason(), possiblySent));
		if (limit != null) {
			text.append(" Limit: ").append(limit).append('.');
		}
		return new SendFailedException(text.toString(), topic, found.reason(), phase,
				Duration.ofNanos(Math.max(0, elapsed)), attempts, this.bootstrapServers, possiblySent, found.cause());
	}

	private static String fate(FailureReason reason, boolean possiblySent) {
		if (possiblySent) {
			return "Possibly sent: a retry may duplicate it.";
		}
		return (reason == FailureReason.SERIALIZATION) ? "Not sent: it would fail again." : "Not sent: safe to retry.";
	}

	private String detail(Diagnosis found, long now) {
		String silence = seconds(this.evidence.silentNanos(now));
		String detail = found.detail();
		if (found.reason() == FailureReason.BROKERS_UNREACHABLE) {
			String text = "no answer from " + this.bootstrapServers + " for " + silence;
			return (detail != null) ? text + "; " + detail : text;
		}
		String brokers = "brokers " + this.bootstrapServers;
		return (detail != null) ? detail + "; " + brokers : brokers;
	}

	static String seconds(long nanos) {
		long tenths = Math.round(Math.max(0, nanos) / NANOS_PER_TENTH);
		return (tenths / 10) + "." + (tenths % 10) + "s";
	}

	static String simple(Duration duration) {
		long millis = duration.toMillis();
		return (millis % 1000 == 0) ? (millis / 1000) + "s" : millis + "ms";
	}

}
