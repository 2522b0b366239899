package io.evenkeel.kafka.metrics;

import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;

import io.evenkeel.kafka.container.EvenkeelContainer;
import io.evenkeel.kafka.container.ListenerMeters;
import io.evenkeel.kafka.engine.EngineObserver;
import io.micrometer.core.instrument.MeterRegistry;

/**
 * Keeps the meters of all listeners in a registry. Gauges leave with a stop of their
 * listener; counters and timers outlive it, for it may start again, and leave when the
 * container is destroyed. Any thread.
 */
public final class ConsumerMeters implements ListenerMeters {

	private final MeterRegistry registry;

	private final Map<EvenkeelContainer<?, ?>, ListenerGauges> gauges = new ConcurrentHashMap<>();

	private final Map<EvenkeelContainer<?, ?>, Queue<ListenerEvents>> events = new ConcurrentHashMap<>();

	/**
	 * Keep meters.
	 * @param registry where
	 */
	public ConsumerMeters(MeterRegistry registry) {
		this.registry = registry;
	}

	@Override
	public EngineObserver start(EvenkeelContainer<?, ?> container) {
		ListenerGauges own = new ListenerGauges(this.registry, container.getListenerId(), container.getGroupId(),
				container::snapshot);
		ListenerGauges previous = this.gauges.put(container, own);
		if (previous != null) {
			previous.close();
		}
		own.open();
		ListenerEvents told = new ListenerEvents(this.registry, container.getListenerId(), own);
		this.events.computeIfAbsent(container, (key) -> new ConcurrentLinkedQueue<>()).add(told);
		return told;
	}

	@Override
	public void stopped(EvenkeelContainer<?, ?> container) {
		ListenerGauges own = this.gauges.remove(container);
		if (own != null) {
			own.close();
		}
	}

	@Override
	public void destroyed(EvenkeelContainer<?, ?> container) {
		stopped(container);
		Queue<ListenerEvents> told = this.events.remove(container);
		if (told != null) {
			told.forEach(ListenerEvents::close);
		}
	}

}
