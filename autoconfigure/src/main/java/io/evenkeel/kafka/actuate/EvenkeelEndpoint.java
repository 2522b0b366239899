package io.evenkeel.kafka.actuate;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.Supplier;

import io.evenkeel.kafka.config.SettingChecks;
import io.evenkeel.kafka.container.EvenkeelContainer;
import io.evenkeel.kafka.engine.EngineSettings;
import io.evenkeel.kafka.engine.EngineSnapshot;
import io.evenkeel.kafka.engine.PartitionLag;
import io.evenkeel.kafka.engine.RebalanceLog;
import io.evenkeel.kafka.watch.ListenerReport;
import io.evenkeel.kafka.watch.ListenerWatch;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.actuate.endpoint.Access;
import org.springframework.boot.actuate.endpoint.annotation.Endpoint;
import org.springframework.boot.actuate.endpoint.annotation.ReadOperation;
import org.springframework.boot.actuate.endpoint.annotation.Selector;
import org.springframework.boot.actuate.endpoint.annotation.WriteOperation;
import org.springframework.boot.actuate.endpoint.web.WebEndpointResponse;
import org.springframework.kafka.listener.ListenerContainerRegistry;
import org.springframework.kafka.listener.MessageListenerContainer;

/**
 * Shows listeners and producers as they are, and, with write access, pauses, resumes and
 * scales listeners while they run. It reads snapshots: no network call, no lock of an
 * engine.
 */
@Endpoint(id = "evenkeel", defaultAccess = Access.READ_ONLY)
public final class EvenkeelEndpoint {

	private final ListenerContainerRegistry registry;

	private final Supplier<List<EvenkeelDescriptor.Producer>> producers;

	private final ListenerWatch watch;

	/**
	 * Make the endpoint without a watch: what takes time to be seen is not shown.
	 * @param registry where the listeners are
	 * @param producers describes the producers
	 */
	public EvenkeelEndpoint(ListenerContainerRegistry registry, Supplier<List<EvenkeelDescriptor.Producer>> producers) {
		this(registry, producers, new ListenerWatch(registry::getListenerContainers));
	}

	/**
	 * Make the endpoint.
	 * @param registry where the listeners are
	 * @param producers describes the producers
	 * @param watch knows what the listeners are doing
	 */
	public EvenkeelEndpoint(ListenerContainerRegistry registry, Supplier<List<EvenkeelDescriptor.Producer>> producers,
			ListenerWatch watch) {
		this.registry = registry;
		this.producers = producers;
		this.watch = watch;
	}

	/**
	 * Show everything.
	 * @return listeners and producers at this moment
	 */
	@ReadOperation
	public EvenkeelDescriptor evenkeel() {
		List<EvenkeelDescriptor.Listener> listeners = new ArrayList<>();
		for (MessageListenerContainer container : this.registry.getListenerContainers()) {
			if (container instanceof EvenkeelContainer<?, ?> ours) {
				listeners.add(listener(ours));
			}
		}
		return new EvenkeelDescriptor(listeners, this.producers.get());
	}

	/**
	 * Change a listener while it runs.
	 * @param listenerId its id
	 * @param paused whether it is to be paused, null to leave it
	 * @param concurrency its new concurrency, null to leave it
	 * @return 204, 404 for an unknown id, 400 for a bad value
	 */
	@WriteOperation
	public WebEndpointResponse<Void> change(@Selector String listenerId, @Nullable Boolean paused,
			@Nullable Integer concurrency) {
		if (!(this.registry.getListenerContainer(listenerId) instanceof EvenkeelContainer<?, ?> container)) {
			return new WebEndpointResponse<>(WebEndpointResponse.STATUS_NOT_FOUND);
		}
		boolean valid = concurrency == null || (concurrency >= 1 && concurrency <= most(container));
		if (!valid || (paused == null && concurrency == null)) {
			return new WebEndpointResponse<>(WebEndpointResponse.STATUS_BAD_REQUEST);
		}
		if (concurrency != null) {
			container.changeConcurrency(concurrency);
		}
		if (paused != null) {
			if (paused) {
				container.pause();
			}
			else {
				container.resume();
			}
		}
		return new WebEndpointResponse<>(WebEndpointResponse.STATUS_NO_CONTENT);
	}

	/** Calls for more records than are held could never be made. */
	private static int most(EvenkeelContainer<?, ?> container) {
		EngineSettings settings = container.settings();
		return (settings != null) ? Math.min(SettingChecks.MAX_CONCURRENCY, settings.maxPendingRecords())
				: SettingChecks.MAX_CONCURRENCY;
	}

	private EvenkeelDescriptor.Listener listener(EvenkeelContainer<?, ?> container) {
		EngineSnapshot snapshot = container.snapshot();
		EngineSettings settings = container.settings();
		long now = System.nanoTime();
		ListenerReport report = this.watch.report(container);
		return new EvenkeelDescriptor.Listener(container.getListenerId(), report.state().name(), container.getGroupId(),
				snapshot.memberId(), container.groupProtocol().toLowerCase(Locale.ROOT),
				(settings != null) ? settings.ordering().name().toLowerCase(Locale.ROOT) : "",
				new EvenkeelDescriptor.Concurrency(container.concurrencyLimit(), snapshot.used()),
				snapshot.partitions().stream().map((partition) -> partition(partition, now)).toList(),
				container.rebalances().stream().map(EvenkeelEndpoint::rebalance).toList(),
				(snapshot.committedNanos() != 0) ? (now - snapshot.committedNanos()) / 1e9 : null, report.reason(),
				SlowCalls.of(container.runningCalls()));
	}

	private static EvenkeelDescriptor.Partition partition(EngineSnapshot.Partition partition, long now) {
		List<String> paused = new ArrayList<>();
		if (partition.userPaused()) {
			paused.add("user");
		}
		if (partition.backPressure()) {
			paused.add("backpressure");
		}
		TopicPartition name = partition.partition();
		PartitionLag lag = partition.lag();
		boolean known = lag.isKnown();
		double age = partition.hasOldest() ? (now - partition.oldestNanos()) / 1e9 : 0;
		return new EvenkeelDescriptor.Partition(name.topic(), name.partition(), partition.epoch(), partition.position(),
				partition.committed(), partition.queued(), partition.inFlight(), partition.parked(), Math.max(0, age),
				paused, known ? lag.endOffset() : null, known ? lag.records() : null,
				known ? lag.seconds(System.currentTimeMillis(), now) : null);
	}

	private static EvenkeelDescriptor.Rebalance rebalance(RebalanceLog.Entry entry) {
		return new EvenkeelDescriptor.Rebalance(entry.at(), entry.event().name().toLowerCase(Locale.ROOT),
				entry.partitions().stream().map(TopicPartition::toString).toList(), entry.durationMillis(),
				entry.drained(), entry.dropped(), entry.abandoned());
	}

}
