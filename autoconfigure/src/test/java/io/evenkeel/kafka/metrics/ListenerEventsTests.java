package io.evenkeel.kafka.metrics;

import java.time.Duration;
import java.util.List;

import io.evenkeel.kafka.engine.AssignedPartition;
import io.evenkeel.kafka.engine.EngineObserver.CommitResult;
import io.evenkeel.kafka.engine.EngineObserver.RebalanceEvent;
import io.evenkeel.kafka.engine.EngineObserver.ResetCause;
import io.evenkeel.kafka.engine.dispatch.Outcome;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

class ListenerEventsTests {

	private final MeterRegistry registry = new SimpleMeterRegistry();

	private final ListenerEvents events = of("orders");

	@Test
	void closingLeavesNoMeterOfTheListenerAndNoneComesBack() {
		everything(this.events);
		ListenerEvents others = of("others");
		everything(others);
		assertThat(this.registry.find("evenkeel.consumer.records").tag("listener", "orders").counters()).hasSize(4);

		this.events.close();
		everything(this.events);

		assertThat(this.registry.getMeters()).extracting(ListenerEventsTests::listener).containsOnly("others");
		assertThat(this.registry.get("evenkeel.consumer.records")
			.tags("listener", "others", "outcome", "success")
			.counter()
			.count()).isEqualTo(1);
	}

	private ListenerEvents of(String listener) {
		ListenerGauges gauges = new ListenerGauges(this.registry, listener, null, () -> {
			throw new IllegalStateException("Nobody reads");
		});
		gauges.close();
		return new ListenerEvents(this.registry, listener, gauges);
	}

	private static String listener(Meter meter) {
		return meter.getId().getTag("listener");
	}

	private static void everything(ListenerEvents events) {
		List<AssignedPartition> partitions = List.of(new AssignedPartition(new TopicPartition("orders", 0), 1));
		long nanos = Duration.ofMillis(1).toNanos();
		events.assigned(partitions, nanos);
		events.firstCall("orders", nanos);
		events.retried("orders");
		events.ended("orders", Outcome.SUCCESS, nanos);
		events.stale("orders");
		events.committed(CommitResult.OK, nanos);
		events.lagKnown(new TopicPartition("orders", 0));
		events.recoveryFailed("orders");
		events.reset(ResetCause.ERROR, 1);
		events.drained(true, nanos, 1, 0, 0);
		events.unassigned(partitions, RebalanceEvent.REVOKED, nanos);
	}

}
