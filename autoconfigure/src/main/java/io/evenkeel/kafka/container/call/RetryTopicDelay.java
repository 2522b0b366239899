package io.evenkeel.kafka.container.call;

import java.time.Duration;

import io.evenkeel.kafka.container.listener.ListenerFailures;
import org.jspecify.annotations.Nullable;
import org.springframework.kafka.listener.KafkaBackoffException;

/**
 * Records of retry topics whose time has not come: their calls throw, and nothing failed.
 */
public final class RetryTopicDelay {

	private RetryTopicDelay() {
	}

	/**
	 * How long such a record is to wait.
	 * @param failure what its call threw
	 * @return null when something failed
	 */
	public static @Nullable Duration remaining(Throwable failure) {
		KafkaBackoffException early = ListenerFailures.find(failure, KafkaBackoffException.class);
		return (early != null) ? Duration.ofMillis(Math.max(1, early.getDueTimestamp() - System.currentTimeMillis()))
				: null;
	}

}
