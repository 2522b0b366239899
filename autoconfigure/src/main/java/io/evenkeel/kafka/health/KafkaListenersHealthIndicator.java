package io.evenkeel.kafka.health;

import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;

import io.evenkeel.kafka.container.EvenkeelContainer;
import io.evenkeel.kafka.watch.ListenerReport;
import io.evenkeel.kafka.watch.ListenerWatch;
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

	private final ListenerWatch watch;

	/**
	 * Watch listeners without a watch of theirs: what takes time to be seen is not told.
	 * @param registry where they are
	 * @param staleAfter how old an unfinished record may be
	 */
	public KafkaListenersHealthIndicator(ListenerContainerRegistry registry, Duration staleAfter) {
		this(registry, staleAfter, new ListenerWatch(registry::getListenerContainers));
	}

	/**
	 * Watch listeners.
	 * @param registry where they are
	 * @param staleAfter how old an unfinished record may be, and how long no broker may
	 * have answered
	 * @param watch knows what the listeners are doing
	 */
	public KafkaListenersHealthIndicator(ListenerContainerRegistry registry, Duration staleAfter, ListenerWatch watch) {
		super("Kafka listeners health check failed");
		this.registry = registry;
		this.staleAfter = staleAfter;
		this.watch = watch;
	}

	@Override
	protected void doHealthCheck(Health.Builder builder) {
		Status status = Status.UP;
		for (MessageListenerContainer container : this.registry.getListenerContainers()) {
			if (container instanceof EvenkeelContainer<?, ?> ours) {
				ListenerReport report = this.watch.report(ours);
				ListenerCondition condition = ListenerCondition.of(ours, this.staleAfter, System.nanoTime(), report);
				status = worse(status, condition.status());
				builder.withDetail(ours.getListenerId(), details(condition, report));
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

	private static Map<String, Object> details(ListenerCondition condition, ListenerReport report) {
		Map<String, Object> details = new LinkedHashMap<>();
		details.put("status", condition.status().getCode());
		details.put("state", report.state().name());
		String reason = (condition.reason() != null) ? condition.reason() : report.reason();
		if (reason != null) {
			details.put("reason", reason);
		}
		return details;
	}

}
