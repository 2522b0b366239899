package io.evenkeel.kafka.health;

import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;

import io.evenkeel.kafka.container.EvenkeelContainer;
import org.springframework.boot.health.contributor.AbstractHealthIndicator;
import org.springframework.boot.health.contributor.Health;
import org.springframework.boot.health.contributor.Status;
import org.springframework.kafka.listener.ListenerContainerRegistry;
import org.springframework.kafka.listener.MessageListenerContainer;

/**
 * Health of all listeners. DOWN says why: a listener stopped by itself, its owner has not
 * polled for long, a record has been unfinished for too long, recoveries are failing. A
 * listener paused by hand is OUT_OF_SERVICE; a rebalance in progress is UP.
 */
public final class KafkaListenersHealthIndicator extends AbstractHealthIndicator {

	private final ListenerContainerRegistry registry;

	private final Duration staleAfter;

	/**
	 * Watch listeners.
	 * @param registry where they are
	 * @param staleAfter how old an unfinished record may be
	 */
	public KafkaListenersHealthIndicator(ListenerContainerRegistry registry, Duration staleAfter) {
		super("Kafka listeners health check failed");
		this.registry = registry;
		this.staleAfter = staleAfter;
	}

	@Override
	protected void doHealthCheck(Health.Builder builder) {
		Status status = Status.UP;
		for (MessageListenerContainer container : this.registry.getListenerContainers()) {
			if (container instanceof EvenkeelContainer<?, ?> ours) {
				ListenerCondition condition = ListenerCondition.of(ours, this.staleAfter, System.nanoTime());
				status = worse(status, condition.status());
				builder.withDetail(ours.getListenerId(), details(condition));
			}
		}
		builder.status(status);
	}

	private static Status worse(Status one, Status other) {
		if (one.equals(Status.DOWN) || other.equals(Status.UP)) {
			return one;
		}
		return other;
	}

	private static Map<String, Object> details(ListenerCondition condition) {
		Map<String, Object> details = new LinkedHashMap<>();
		details.put("status", condition.status().getCode());
		if (condition.reason() != null) {
			details.put("reason", condition.reason());
		}
		return details;
	}

}
