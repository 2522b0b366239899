package io.evenkeel.kafka.container.failure;

import java.util.function.Predicate;
import java.util.function.Supplier;

import io.evenkeel.kafka.container.call.Undeserializable;
import io.evenkeel.kafka.engine.SlotHolder;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.errors.RecordDeserializationException;
import org.jspecify.annotations.Nullable;
import org.springframework.kafka.listener.ListenerExecutionFailedException;

/**
 * The one loop in which records are called again under error handlers and rollback
 * processors of the user's own: ask, done?, handed over?, count, call again. Such
 * handlers keep what they know of a record by thread, so all its calls are made on one
 * worker. It has a slot while it calls the listener, and none while it asks, which may
 * take as long as it likes.
 */
final class Redelivery {

	private Redelivery() {
	}

	/**
	 * Call again until somebody is done with the record.
	 * @param holder has the slot of the call that failed
	 * @param failure why it failed
	 * @param asked whether the record is done after a failure; may wait
	 * @param counted told before each further call
	 * @param call calls again: null after a success, otherwise why it failed
	 * @return how it went on
	 */
	static End run(SlotHolder holder, Throwable failure, Predicate<Throwable> asked, Runnable counted,
			Supplier<@Nullable Throwable> call) {
		@Nullable Throwable last = failure;
		while (last != null) {
			// Who is asked may wait, for the network or for a back-off: not with a slot.
			holder.rest();
			if (asked.test(last)) {
				return End.DONE;
			}
			if (!holder.resume()) {
				return End.HANDED_OVER;
			}
			counted.run();
			last = call.get();
		}
		return End.SUCCEEDED;
	}

	/** A failure in the form that error handlers know. */
	static Exception exception(ConsumerRecord<?, ?> record, Throwable failure) {
		if (failure instanceof RecordDeserializationException) {
			return new ListenerExecutionFailedException("Listener failed", Undeserializable.failure(record, failure));
		}
		return (failure instanceof Exception known) ? known
				: new ListenerExecutionFailedException("The listener failed with an error", failure);
	}

	/**
	 * How the calls of a record went on.
	 */
	enum End {

		/** A further call succeeded. */
		SUCCEEDED,

		/** Who was asked is done with the record. */
		DONE,

		/** The record is its next owner's. */
		HANDED_OVER

	}

	/** The record is not ours to handle any more; its next owner handles it. */
	static final class HandedOverException extends RuntimeException {

		private static final long serialVersionUID = 1L;

		HandedOverException() {
			super("The partition is being handed over", null, false, false);
		}

	}

	/** The handler itself failed. */
	static final class HandlerFailedException extends RuntimeException {

		private static final long serialVersionUID = 1L;

		HandlerFailedException(Throwable cause) {
			super("The error handler failed", cause);
		}

	}

}
