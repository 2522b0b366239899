package io.evenkeel.kafka.engine;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Supplier;

import io.evenkeel.kafka.container.listener.ContainerSettings;
import io.evenkeel.kafka.container.ContainerDependencies;
import io.evenkeel.kafka.container.EvenkeelContainer;
import io.evenkeel.kafka.container.ListenerMeters;
import io.evenkeel.kafka.engine.dispatch.Ordering;
import io.evenkeel.kafka.metrics.ConsumerMeters;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import org.junit.jupiter.api.Test;

import org.springframework.kafka.core.DefaultKafkaConsumerFactory;
import org.springframework.kafka.listener.ContainerProperties;

import static io.evenkeel.kafka.engine.SteppedEngine.P0;
import static io.evenkeel.kafka.engine.SteppedEngine.P1;
import static org.assertj.core.api.Assertions.assertThat;

/**
 * Ten thousand records whose fate is known beforehand: each meter says what happened. The
 * numbers are counted by hand.
 */
class MetersTellTheTruthTests {

	private final SimpleMeterRegistry registry = new SimpleMeterRegistry();

	private final SteppedEngine engine = new SteppedEngine(SteppedEngine.settings(Ordering.KEY, 8, 20_000),
			(own) -> both(own, new ConsumerMeters(this.registry).start(new Told(() -> this.engine.loop.snapshot()))));

	@Test
	void eachMeterSaysWhatHappened() {
		this.engine.recoverer = (recovery) -> recovery.ended((recovery.record().offset() % 10 == 2)
				? RecordHandler.Recovery.SKIPPED : RecordHandler.Recovery.DEAD_LETTERED);
		this.engine.handler = (attempt) -> {
			switch ((int) (attempt.record().offset() % 10)) {
				case 0 -> {
					if (attempt.number() == 1) {
						attempt.failed(new IllegalStateException("once"));
					}
					else {
						attempt.succeeded();
					}
				}
				case 1 -> attempt.failed(new IllegalStateException("three times, which is all there is"));
				case 2 -> attempt.exhausted(new IllegalStateException("hopeless"));
				default -> attempt.succeeded();
			}
		};
		this.engine.consumer.updateEndOffsets(new HashMap<>(Map.of(P0, 5000L, P1, 5000L)));
		this.engine.own(P0, P1);
		this.engine.produce(P0, 0, 5000);
		this.engine.produce(P1, 0, 5000);
		for (int i = 0; i < 10; i++) {
			this.engine.pass(Duration.ofSeconds(2));
		}
		assertRecords(8000, 1000, 1000, 0);
		// 1,000 records once more each, 1,000 twice.
		assertThat(counter("retries", "topic", "t")).isEqualTo(3000);
		assertThat(timer("record.wait", "topic", "t")).isEqualTo(10_000);
		assertThat(gauge("offset.committed", "partition", "0")).isEqualTo(5000);
		assertThat(gauge("offset.committed", "partition", "1")).isEqualTo(5000);
		assertThat(gauge("offset.gap", "partition", "0")).isZero();
		assertThat(gauge("lag", "partition", "0")).isZero();
		assertThat(gauge("partitions", "state", "assigned")).isEqualTo(2);
		assertThat(gauge("concurrency", "value", "limit")).isEqualTo(8);
		assertThat(gauge("concurrency", "value", "used")).isZero();

		// Thirty more: eight are called and never return in time, the others wait.
		this.engine.handler = (attempt) -> {
		};
		this.engine.consumer.updateEndOffsets(new HashMap<>(Map.of(P0, 5030L)));
		this.engine.produce(P0, 5000, 30);
		this.engine.pass(Duration.ofMillis(200));
		// What the gauges show is as old as the last look, a tenth of a second.
		this.engine.pass(Duration.ofMillis(200));
		assertThat(gauge("pending", "state", "in-flight", "partition", "0")).isEqualTo(8);
		assertThat(gauge("pending", "state", "queued", "partition", "0")).isEqualTo(22);
		assertThat(gauge("pending", "state", "parked", "partition", "0")).isZero();
		assertThat(gauge("lag", "partition", "0")).isEqualTo(30);
		assertThat(gauge("concurrency", "value", "used")).isEqualTo(8);
		assertThat(gauge("keys.active")).isEqualTo(30);
		this.engine.own(P1);
		this.engine.turn();
		assertThat(counter("rebalance.records", "fate", "abandoned")).isEqualTo(8);
		assertThat(counter("rebalance.records", "fate", "dropped")).isEqualTo(22);
		assertThat(counter("rebalance.records", "fate", "drained")).isZero();
		assertThat(timer("rebalance.drain", "result", "timeout")).isEqualTo(1);
		this.engine.calls.stream().filter((call) -> !call.isOver()).toList().forEach((call) -> call.succeeded());
		this.engine.turn();
		assertRecords(8000, 1000, 1000, 8);
		assertThat(gauge("partitions", "state", "assigned")).isEqualTo(1);
		assertThat(this.registry.find("evenkeel.consumer.lag").tags("partition", "0").gauges()).isEmpty();
		assertThat(timer("rebalance", "event", "lost")).isZero();
		// Each was noted by the broker's side.
		assertThat(timer("commit", "result", "ok"))
			.isEqualTo(this.engine.consumer.asyncs.size() + this.engine.consumer.syncs.size());
		assertThat(timer("commit", "result", "error") + timer("commit", "result", "fenced")
				+ timer("commit", "result", "retriable") + timer("commit", "result", "rebalance"))
			.isZero();
	}

	/** Red when something is registered for each of them and never removed. */
	@Test
	void rebalancesAndCommitsLeaveTheNumberOfMetersWhereItWas() {
		this.engine.handler = Attempt::succeeded;
		this.engine.consumer.updateEndOffsets(new HashMap<>(Map.of(P0, 0L, P1, 0L)));
		round(0, 0);
		int before = this.registry.getMeters().size();
		long offset = 1;
		for (int i = 1; i <= 1000; i++) {
			round(offset, 10);
			offset += 10;
		}
		assertThat(this.registry.getMeters()).hasSize(before);
		assertThat(timer("rebalance", "event", "revoked")).isEqualTo(1001);
		assertThat(timer("commit", "result", "ok")).isBetween(10_000.0, 11_010.0);
		assertThat(counter("records", "outcome", "success", "topic", "t")).isEqualTo(10_001);
	}

	/** Two partitions come, some records with a commit each, and they go. */
	private void round(long from, int records) {
		this.engine.own(P0, P1);
		step(from == 0 ? 1 : 0, 0);
		for (int i = 0; i < records; i++) {
			step(1, from + i);
		}
		this.engine.own();
		step(0, 0);
	}

	private void step(int records, long offset) {
		if (records > 0) {
			this.engine.produce(P0, offset, records);
		}
		this.engine.now += Duration.ofMillis(1100).toNanos();
		for (int i = 0; i < 3; i++) {
			this.engine.loop.doWork();
			while (this.engine.worker.step()) {
				Thread.onSpinWait();
			}
		}
		this.engine.events.clear();
		this.engine.calls.clear();
	}

	private void assertRecords(int success, int dead, int skipped, int stale) {
		Map.of("success", (double) success, "dead-lettered", (double) dead, "skipped", (double) skipped)
			.forEach((outcome, expected) -> {
				assertThat(counter("records", "outcome", outcome, "topic", "t")).as(outcome).isEqualTo(expected);
				assertThat(timer("record.residence", "outcome", outcome, "topic", "t")).as(outcome).isEqualTo(expected);
			});
		assertThat(counter("records", "outcome", "stale", "topic", "t")).isEqualTo(stale);
	}

	private double counter(String name, String... tags) {
		return this.registry.get("evenkeel.consumer." + name).tags("listener", "orders").tags(tags).counter().count();
	}

	private double timer(String name, String... tags) {
		return this.registry.find("evenkeel.consumer." + name)
			.tags("listener", "orders")
			.tags(tags)
			.timers()
			.stream()
			.mapToLong((timer) -> timer.count())
			.sum();
	}

	private double gauge(String name, String... tags) {
		return this.registry.get("evenkeel.consumer." + name).tags("listener", "orders").tags(tags).gauge().value();
	}

	private static EngineObserver both(EngineObserver one, EngineObserver other) {
		return (EngineObserver) Proxy.newProxyInstance(EngineObserver.class.getClassLoader(),
				new Class<?>[] { EngineObserver.class }, (proxy, method, args) -> {
					try {
						method.invoke(one, args);
						return method.invoke(other, args);
					}
					catch (InvocationTargetException ex) {
						throw ex.getCause();
					}
				});
	}

	/** The container of the stepped engine. */
	private static final class Told extends EvenkeelContainer<String, String> {

		private final Supplier<EngineSnapshot> snapshots;

		Told(Supplier<EngineSnapshot> snapshots) {
			super(new DefaultKafkaConsumerFactory<>(Map.of()), new ContainerProperties("t"),
					new ContainerDependencies((id) -> ContainerSettings.defaults(), ListenerMeters.NONE, (suffix) -> {
						throw new IllegalStateException("No record is recovered here");
					}));
			this.snapshots = snapshots;
			setBeanName("orders");
		}

		@Override
		public EngineSnapshot snapshot() {
			return this.snapshots.get();
		}

	}

}
