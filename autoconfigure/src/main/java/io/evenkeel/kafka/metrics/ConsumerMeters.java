package io.evenkeel.kafka.metrics;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

import io.evenkeel.kafka.container.EvenkeelContainer;
import io.evenkeel.kafka.container.ListenerMeters;
import io.evenkeel.kafka.engine.EngineListener;
import io.micrometer.core.instrument.MeterRegistry;

/**
 * Keeps the meters of all listeners in a registry. Counters and timers outlive a stop of
 * their listener; gauges leave with it. Any thread.
 */
public final class ConsumerMeters implements ListenerMeters {

	private final MeterRegistry registry;

	private final Map<EvenkeelContainer<?, ?>, ListenerGauges> gauges = new ConcurrentHashMap<>();

	/**
	 * Keep meters.
	 * @param registry where
	 */
	public ConsumerMeters(MeterRegistry registry) {
		this.registry = registry;
	}

	@Override
	public EngineListener start(EvenkeelContainer<?, ?> container) {
		ListenerGauges own = new ListenerGauges(this.registry, container.getListenerId(), container::snapshot);
		ListenerGauges previous = this.gauges.put(container, own);
		if (previous != null) {
			previous.close();
		}
		own.open();
		return new ListenerEvents(this.registry, container.getListenerId(), own);
	}

	@Override
	public void stopped(EvenkeelContainer<?, ?> container) {
		ListenerGauges own = this.gauges.remove(container);
		if (own != null) {
			own.close();
		}
	}

}
