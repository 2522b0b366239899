package io.evenkeel.kafka.health;

import java.time.Duration;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;

import io.evenkeel.kafka.producer.FailureReason;
import io.evenkeel.kafka.producer.ProducerRegistry;
import io.evenkeel.kafka.producer.ProducerSnapshot;
import org.springframework.boot.health.contributor.AbstractHealthIndicator;
import org.springframework.boot.health.contributor.Health;
import org.springframework.boot.health.contributor.Status;

/**
 * Health of the sending producers: DOWN when the brokers have been unreachable, or have
 * refused the credentials, for too long. UP before the first send.
 */
public final class KafkaProducerHealthIndicator extends AbstractHealthIndicator {

	private static final Set<FailureReason> TROUBLE = EnumSet.of(FailureReason.BROKERS_UNREACHABLE,
			FailureReason.DNS_RESOLUTION, FailureReason.AUTHENTICATION, FailureReason.TLS);

	private final ProducerRegistry registry;

	private final Duration staleAfter;

	/**
	 * Watch producers.
	 * @param registry where they are
	 * @param staleAfter how long trouble may last
	 */
	public KafkaProducerHealthIndicator(ProducerRegistry registry, Duration staleAfter) {
		super("Kafka producer health check failed");
		this.registry = registry;
		this.staleAfter = staleAfter;
	}

	@Override
	protected void doHealthCheck(Health.Builder builder) {
		Status status = Status.UP;
		for (ProducerSnapshot producer : this.registry.snapshots()) {
			Map<String, Object> details = new LinkedHashMap<>();
			boolean down = isDown(producer);
			details.put("status", (down ? Status.DOWN : Status.UP).getCode());
			details.put("pendingRecords", producer.pendingRecords());
			if (down) {
				status = Status.DOWN;
				details.put("reason", producer.trouble() + " for " + producer.troubledMillis() / 1000 + " s");
			}
			builder.withDetail(producer.id(), details);
		}
		builder.status(status);
	}

	private boolean isDown(ProducerSnapshot producer) {
		return producer.trouble() != null && TROUBLE.contains(producer.trouble())
				&& producer.troubledMillis() >= this.staleAfter.toMillis();
	}

}
