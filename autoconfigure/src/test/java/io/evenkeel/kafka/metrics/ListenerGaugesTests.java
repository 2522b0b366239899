package io.evenkeel.kafka.metrics;

import java.util.List;

import io.evenkeel.kafka.engine.EngineSnapshot;
import io.evenkeel.kafka.engine.PartitionLag;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

class ListenerGaugesTests {

	private static final TopicPartition PARTITION = new TopicPartition("topic", 0);

	private final MeterRegistry registry = new SimpleMeterRegistry();

	private PartitionLag lag = PartitionLag.UNKNOWN;

	/** A backend names a gauge after its unit: an age is in seconds like every other. */
	@Test
	void theAgeOfTheOldestRecordIsInSeconds() {
		ListenerGauges gauges = gauges("shop");
		gauges.add(PARTITION);
		gauges.lagKnown(PARTITION);
		gauges.committed();
		for (String age : List.of("offset.oldest.age", "lag.time", "commit.age")) {
			assertThat(this.registry.get("evenkeel.consumer." + age).gauge().getId().getBaseUnit()).as(age)
				.isEqualTo("seconds");
		}
		assertThat(this.registry.get("evenkeel.consumer.offset.gap").gauge().getId().getBaseUnit()).isNull();
	}

	/** Red when a lag that nobody knows is shown as a number. */
	@Test
	void aLagIsThereOnceItIsKnownAndGoesWithItsPartition() {
		ListenerGauges gauges = gauges("shop");
		gauges.lagKnown(PARTITION);
		gauges.add(PARTITION);
		assertThat(this.registry.find("evenkeel.consumer.lag").gauge()).isNull();
		this.lag = new PartitionLag(20, 7, System.currentTimeMillis() - 60_000, 0);
		gauges.lagKnown(PARTITION);
		gauges.lagKnown(PARTITION);
		assertThat(value("evenkeel.consumer.lag")).isEqualTo(7);
		assertThat(value("evenkeel.consumer.lag.time")).isGreaterThanOrEqualTo(60);
		gauges.remove(PARTITION);
		assertThat(this.registry.find("evenkeel.consumer.lag").gauge()).isNull();
		assertThat(this.registry.find("evenkeel.consumer.lag.time").gauge()).isNull();
		gauges.add(PARTITION);
		assertThat(this.registry.find("evenkeel.consumer.lag").gauge()).as("of the next assignment").isNull();
	}

	@Test
	void theAgeOfTheLastCommitIsThereAfterTheFirst() {
		ListenerGauges gauges = gauges(null);
		gauges.open();
		assertThat(this.registry.find("evenkeel.consumer.commit.age").gauge()).isNull();
		gauges.committed();
		gauges.committed();
		assertThat(this.registry.get("evenkeel.consumer.commit.age")
			.tags("listener", "orders", "group", "none")
			.gauge()
			.value()).isGreaterThanOrEqualTo(0);
		gauges.close();
		assertThat(this.registry.getMeters()).isEmpty();
	}

	/** Red when a meter stays for each assignment that has been. */
	@Test
	void aThousandRebalancesLeaveTheNumberOfMetersWhereItWas() {
		ListenerGauges gauges = gauges("shop");
		gauges.open();
		gauges.committed();
		gauges.add(PARTITION);
		gauges.lagKnown(PARTITION);
		int before = this.registry.getMeters().size();
		for (int i = 0; i < 1000; i++) {
			gauges.remove(PARTITION);
			gauges.add(PARTITION);
			gauges.lagKnown(PARTITION);
			gauges.committed();
		}
		assertThat(this.registry.getMeters()).hasSize(before);
	}

	private double value(String gauge) {
		return this.registry.get(gauge)
			.tags("listener", "orders", "group", "shop", "topic", "topic", "partition", "0")
			.gauge()
			.value();
	}

	private ListenerGauges gauges(String group) {
		return new ListenerGauges(this.registry, "orders", group, () -> new EngineSnapshot(1, "m", 1, 0, 0,
				List.of(new EngineSnapshot.Partition(PARTITION, 1, 0, -1, 0, 0, 0, 0, -1, false, false, this.lag))));
	}

}
