package io.evenkeel.kafka.producer;

import java.time.Duration;
import java.util.List;

import org.apache.kafka.common.KafkaException;
import org.jspecify.annotations.Nullable;

/**
 * A send that failed, with everything there is to know about it but the record: its
 * message never contains keys, values, headers or credentials. The client's own
 * exception, if there was one, is the cause.
 * <p>
 * A future of a template carries spring-kafka's {@code KafkaProducerException} with this
 * one as its cause.
 */
public final class SendFailedException extends KafkaException {

	private static final long serialVersionUID = 1L;

	private final String topic;

	private final FailureReason reason;

	private final FailurePhase phase;

	private final Duration elapsed;

	private final int attempts;

	private final List<String> bootstrapServers;

	private final boolean possiblySent;

	SendFailedException(String message, String topic, FailureReason reason, FailurePhase phase, Duration elapsed,
			int attempts, List<String> bootstrapServers, boolean possiblySent, @Nullable Throwable cause) {
		super(message, cause);
		this.topic = topic;
		this.reason = reason;
		this.phase = phase;
		this.elapsed = elapsed;
		this.attempts = attempts;
		this.bootstrapServers = List.copyOf(bootstrapServers);
		this.possiblySent = possiblySent;
	}

	/**
	 * Without a stack trace, as with the client's own errors: it would show a thread of
	 * ours, and thousands of sends may fail together.
	 * @return this exception
	 */
	@Override
	public synchronized Throwable fillInStackTrace() {
		return this;
	}

	/**
	 * The topic of the record.
	 * @return the topic
	 */
	public String getTopic() {
		return this.topic;
	}

	/**
	 * Why the send failed.
	 * @return the reason
	 */
	public FailureReason getReason() {
		return this.reason;
	}

	/**
	 * Where the record was.
	 * @return the phase
	 */
	public FailurePhase getPhase() {
		return this.phase;
	}

	/**
	 * The time from the call to the failure.
	 * @return the time, not negative
	 */
	public Duration getElapsed() {
		return this.elapsed;
	}

	/**
	 * How often handing over was tried.
	 * @return the number of attempts, 0 if none was made
	 */
	public int getAttempts() {
		return this.attempts;
	}

	/**
	 * The brokers as configured.
	 * @return host and port of each, unmodifiable
	 */
	public List<String> getBootstrapServers() {
		return this.bootstrapServers;
	}

	/**
	 * Whether a broker may have stored the record. Sending it again may then duplicate
	 * it.
	 * @return {@code false} only if it is certain that no broker stored it
	 */
	public boolean isPossiblySent() {
		return this.possiblySent;
	}

}
