package io.evenkeel.kafka.metrics;

import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * A backend names a gauge after its unit: an age is in seconds like every other.
 */
class ListenerGaugesTests {

	@Test
	void theAgeOfTheOldestRecordIsInSeconds() {
		MeterRegistry registry = new SimpleMeterRegistry();
		ListenerGauges gauges = new ListenerGauges(registry, "orders", () -> {
			throw new IllegalStateException("nobody reads a value here");
		});
		gauges.add(new TopicPartition("topic", 0));
		assertThat(registry.get("evenkeel.consumer.offset.oldest.age").gauge().getId().getBaseUnit())
			.isEqualTo("seconds");
		assertThat(registry.get("evenkeel.consumer.offset.gap").gauge().getId().getBaseUnit()).isNull();
	}

}
