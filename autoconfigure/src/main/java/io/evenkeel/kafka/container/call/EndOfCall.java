package io.evenkeel.kafka.container.call;

import org.springframework.kafka.support.Acknowledgment;

/**
 * The acknowledgment for calls whose end is the end of their records: asynchronous ones,
 * and the repetitions that a user's error handler asks for. Whoever gets it may call it;
 * what it says is known better from the call itself.
 */
public enum EndOfCall implements Acknowledgment {

	/** The only one; it holds nothing. */
	INSTANCE;

	@Override
	public void acknowledge() {
	}

	@Override
	public boolean isOutOfOrderCommit() {
		return true;
	}

}
