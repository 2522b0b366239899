package io.evenkeel.kafka.container.failure;

import java.util.List;

import io.evenkeel.kafka.container.failure.SendFailures.Blame;
import org.apache.kafka.common.InvalidRecordException;
import org.apache.kafka.common.errors.InvalidTimestampException;
import org.apache.kafka.common.errors.InvalidTopicException;
import org.apache.kafka.common.errors.PolicyViolationException;
import org.apache.kafka.common.errors.RecordBatchTooLargeException;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.apache.kafka.common.errors.SerializationException;
import org.apache.kafka.common.errors.TopicAuthorizationException;
import org.apache.kafka.common.errors.TransactionAbortableException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.apache.kafka.common.errors.UnsupportedCompressionTypeException;
import org.apache.kafka.common.errors.UnsupportedForMessageFormatException;
import org.jspecify.annotations.Nullable;

/**
 * Why transactions are not committed: because of what was sent in them, which a listener
 * may have hidden, or for a reason that has nothing to do with the record. What is not
 * known is none of the record's: giving it up would be worse than calling it again.
 */
public final class CommitFailures {

	private static final int DEPTH = 16;

	/** What brokers and clients say of a record, or of the topic it is sent to. */
	private static final List<Class<? extends Throwable>> OF_RECORDS = List.of(InvalidTopicException.class,
			UnknownTopicOrPartitionException.class, TopicAuthorizationException.class, RecordTooLargeException.class,
			RecordBatchTooLargeException.class, SerializationException.class, InvalidRecordException.class,
			InvalidTimestampException.class, PolicyViolationException.class, UnsupportedCompressionTypeException.class,
			UnsupportedForMessageFormatException.class, TransactionAbortableException.class);

	private final SendFailures sends;

	public CommitFailures(SendFailures sends) {
		this.sends = sends;
	}

	/**
	 * Whether a send of the transaction failed in a way that it will fail again.
	 * @param failure what the commit, or adding offsets, has thrown
	 * @return false too when it is not known
	 */
	boolean isOfASend(Throwable failure) {
		@Nullable Throwable current = failure;
		for (int i = 0; current != null && i < DEPTH; i++) {
			Blame blame = this.sends.blame(current);
			if (blame != Blame.NOT_KNOWN) {
				return blame == Blame.RECORD;
			}
			Throwable candidate = current;
			if (OF_RECORDS.stream().anyMatch((type) -> type.isInstance(candidate))) {
				return true;
			}
			current = current.getCause();
		}
		return false;
	}

}
