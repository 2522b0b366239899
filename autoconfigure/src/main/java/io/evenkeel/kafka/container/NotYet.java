package io.evenkeel.kafka.container;

import java.time.Duration;

import org.jspecify.annotations.Nullable;
import org.springframework.kafka.listener.KafkaBackoffException;

/**
 * Records of retry topics whose time has not come: their calls throw, and nothing failed.
 */
final class NotYet {

	private NotYet() {
	}

	/**
	 * How long such a record is to wait.
	 * @param failure what its call threw
	 * @return null when something failed
	 */
	static @Nullable Duration remaining(Throwable failure) {
		KafkaBackoffException early = Failures.find(failure, KafkaBackoffException.class);
		return (early != null) ? Duration.ofMillis(Math.max(1, early.getDueTimestamp() - System.currentTimeMillis()))
				: null;
	}

}
