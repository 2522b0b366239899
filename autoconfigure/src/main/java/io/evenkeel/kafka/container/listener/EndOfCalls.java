package io.evenkeel.kafka.container.listener;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tells the application's code of the end of a call. What it throws then is logged and
 * changes nothing: the call has ended as it has.
 */
public final class EndOfCalls {

	private static final Logger logger = LoggerFactory.getLogger(EndOfCalls.class);

	private EndOfCalls() {
	}

	/**
	 * Tell somebody.
	 * @param id the listener's
	 * @param who is told
	 * @param end tells it
	 */
	public static void tell(String id, String who, Runnable end) {
		try {
			end.run();
		}
		catch (RuntimeException | Error ex) {
			logger.error("{}: the {} failed; the call ends as it would have: {}", id, who, ListenerFailures.types(ex));
		}
	}

}
