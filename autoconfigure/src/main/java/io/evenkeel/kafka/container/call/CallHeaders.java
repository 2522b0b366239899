package io.evenkeel.kafka.container.call;

import java.nio.ByteBuffer;

import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.jspecify.annotations.Nullable;
import org.springframework.kafka.support.KafkaHeaders;

/**
 * The headers that a record gets for a call: the number of the call, and what the
 * listener says of itself. Worker threads.
 */
public final class CallHeaders {

	/** Nearly all calls are first ones: one header serves them all. */
	private final Header firstAttempt = attemptHeader(1);

	private final byte @Nullable [] info;

	private final boolean numbered;

	/**
	 * Make the headers of a listener's calls.
	 * @param info what the listener says of itself, null for nothing
	 * @param numbered whether the number of the call is among them
	 */
	public CallHeaders(byte @Nullable [] info, boolean numbered) {
		this.info = info;
		this.numbered = numbered;
	}

	public void add(ConsumerRecord<?, ?> record, int attempt) {
		Headers headers = record.headers();
		if (this.numbered) {
			number(headers, attempt);
		}
		if (this.info != null && headers.lastHeader(KafkaHeaders.LISTENER_INFO) == null) {
			headers.add(new RecordHeader(KafkaHeaders.LISTENER_INFO, this.info));
		}
	}

	private void number(Headers headers, int attempt) {
		if (attempt > 1 || headers.lastHeader(KafkaHeaders.DELIVERY_ATTEMPT) != null) {
			headers.remove(KafkaHeaders.DELIVERY_ATTEMPT);
		}
		headers.add((attempt == 1) ? this.firstAttempt : attemptHeader(attempt));
	}

	/**
	 * Take the number of the call out again: it is true of calls only, not of a dead
	 * letter that is made of the record.
	 */
	public static void removeAttempt(ConsumerRecord<?, ?> record) {
		record.headers().remove(KafkaHeaders.DELIVERY_ATTEMPT);
	}

	private static Header attemptHeader(int attempt) {
		return new RecordHeader(KafkaHeaders.DELIVERY_ATTEMPT, ByteBuffer.allocate(4).putInt(attempt).array());
	}

}
