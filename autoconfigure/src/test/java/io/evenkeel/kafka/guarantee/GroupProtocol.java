package io.evenkeel.kafka.guarantee;

import java.util.List;

import org.apache.kafka.clients.consumer.CooperativeStickyAssignor;
import org.apache.kafka.clients.consumer.RangeAssignor;

/**
 * The ways in which a group shares its partitions, each as the properties that an
 * application would set.
 */
enum GroupProtocol {

	/** Classic and eager: everything is revoked in each rebalance. */
	RANGE(List.of("partition.assignment.strategy=" + RangeAssignor.class.getName())),

	/** Classic and incremental. */
	COOPERATIVE(List.of("partition.assignment.strategy=" + CooperativeStickyAssignor.class.getName())),

	/** KIP-848: the broker assigns. */
	CONSUMER(List.of("group.protocol=consumer"));

	private static final String PREFIX = "--spring.kafka.consumer.properties.";

	private final List<String> settings;

	GroupProtocol(List<String> settings) {
		this.settings = settings;
	}

	boolean isClassic() {
		return this != CONSUMER;
	}

	/** Whether a rebalance leaves partitions with the member that has them. */
	boolean retains() {
		return this != RANGE;
	}

	/**
	 * Arguments of an application.
	 * @param sessionMillis the session timeout; with KIP-848 the broker has it
	 */
	List<String> arguments(int sessionMillis) {
		List<String> arguments = new java.util.ArrayList<>();
		this.settings.forEach((setting) -> arguments.add(PREFIX + setting));
		if (isClassic()) {
			arguments.add(PREFIX + "session.timeout.ms=" + sessionMillis);
			arguments.add(PREFIX + "heartbeat.interval.ms=" + Math.min(300, sessionMillis / 3));
		}
		return arguments;
	}

}
