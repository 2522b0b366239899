package io.evenkeel.kafka.container;

import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;

import io.evenkeel.kafka.engine.ConsumerEngine;
import io.evenkeel.kafka.engine.ConsumerView;
import io.evenkeel.kafka.engine.EngineSettings;
import io.evenkeel.kafka.engine.EngineSnapshot;
import io.evenkeel.kafka.engine.RebalanceLog;
import io.evenkeel.kafka.engine.RunningCall;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.common.Metric;
import org.apache.kafka.common.MetricName;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.InvalidTopicException;
import org.jspecify.annotations.Nullable;
import org.springframework.kafka.listener.ConcurrentMessageListenerContainer;

/**
 * The engine of a container's last start, and what the container answers from it; before
 * the first start, what the answers would be.
 *
 * <h2>Threading</h2> Replaced under the container's life-cycle lock, asked from any
 * thread.
 *
 * <h2>Why</h2> The fields are volatile so that a question never waits for a start or a
 * stop, and each question reads a field once. The assembly is replaced before the engine:
 * who finds an engine finds its settings, too. The limit outlives the engines: one that
 * is changed while a start is under way may count from the next start on.
 */
final class CurrentEngine<K, V> {

	/** Nothing is assigned while it is asked. */
	private static final Duration ASK_TIMEOUT = Duration.ofMillis(500);

	private static final ConsumerView NO_CONSUMER = new ConsumerView(Map.of(), null, Set.of(), Map.of());

	private final ConcurrentMessageListenerContainer<K, V> container;

	private volatile @Nullable ConsumerEngine<K, V> engine;

	private volatile @Nullable EngineAssembly<K, V> assembly;

	private volatile @Nullable Integer limit;

	CurrentEngine(ConcurrentMessageListenerContainer<K, V> container) {
		this.container = container;
	}

	/** Nothing was started, but the settings are known now. */
	void checked(EngineAssembly<K, V> checked) {
		if (this.engine == null) {
			this.assembly = checked;
		}
	}

	void replace(EngineAssembly<K, V> assembled, ConsumerEngine<K, V> started) {
		this.assembly = assembled;
		this.engine = started;
	}

	/** Give a new engine the limit that was asked for while others ran. */
	void limit(ConsumerEngine<K, V> started) {
		Integer known = this.limit;
		if (known != null) {
			started.limit(known);
		}
	}

	void changeLimit(int limit) {
		if (limit < 1 || limit > 10_000) {
			throw new IllegalArgumentException("concurrency must be between 1 and 10000, not " + limit);
		}
		this.limit = limit;
		ConsumerEngine<K, V> current = this.engine;
		if (current != null) {
			current.limit(limit);
		}
	}

	int limit() {
		ConsumerEngine<K, V> current = running();
		if (current != null) {
			return current.limit();
		}
		Integer known = this.limit;
		EngineSettings settings = settings();
		if (known != null) {
			return known;
		}
		return (settings != null) ? settings.concurrency() : this.container.getConcurrency();
	}

	/** Null before the first start. */
	@Nullable ConsumerEngine<K, V> engine() {
		return this.engine;
	}

	/** Null while the container is stopped. */
	private @Nullable ConsumerEngine<K, V> running() {
		ConsumerEngine<K, V> current = this.engine;
		return (current != null && this.container.isRunning()) ? current : null;
	}

	/** The client's own metrics, which any thread may read. */
	Map<String, Map<MetricName, ? extends Metric>> metrics() {
		ConsumerView view = view();
		return view.metrics().isEmpty() ? Map.of() : Map.of(clientId(view), view.metrics());
	}

	/** The id that the client really has. */
	String clientId() {
		return clientId(view());
	}

	private String clientId(ConsumerView view) {
		String known = view.clientId();
		return (known != null) ? known : this.container.getListenerId();
	}

	/** What is known of the consumer; nothing assigned while there is none. */
	ConsumerView view() {
		ConsumerEngine<K, V> current = this.engine;
		return (current != null) ? current.view() : NO_CONSUMER;
	}

	/** Owner thread. */
	boolean isRunning(TopicPartition partition) {
		ConsumerEngine<K, V> current = this.engine;
		return current != null && current.isRunning(partition);
	}

	EngineSnapshot snapshot() {
		ConsumerEngine<K, V> current = this.engine;
		return (current != null) ? current.snapshot() : new EngineSnapshot(0, "", 0, 0, 0, List.of());
	}

	List<RunningCall> runningCalls() {
		ConsumerEngine<K, V> current = this.engine;
		return (current != null) ? current.running() : List.of();
	}

	List<RebalanceLog.Entry> rebalances() {
		ConsumerEngine<K, V> current = this.engine;
		return (current != null) ? current.rebalances().entries() : List.of();
	}

	boolean isRebalancing() {
		ConsumerEngine<K, V> current = this.engine;
		return current != null && current.isRebalancing();
	}

	long lastPollNanos() {
		ConsumerEngine<K, V> current = this.engine;
		return (current != null) ? current.lastPollNanos() : 0;
	}

	void enforceRebalance() {
		ConsumerEngine<K, V> current = this.engine;
		if (current != null) {
			current.onOwner((consumer) -> consumer.enforceRebalance("Enforced by the application"));
		}
	}

	long recoveryFailingSince() {
		EngineAssembly<K, V> current = this.assembly;
		Recoverer<K, V> recoverer = (current != null) ? current.recoverer() : null;
		return (recoverer != null) ? recoverer.failingSince() : 0;
	}

	String groupProtocol() {
		EngineAssembly<K, V> current = this.assembly;
		return (current != null) ? current.groupProtocol() : "classic";
	}

	@Nullable HandlerSettings handler() {
		EngineAssembly<K, V> current = this.assembly;
		return (current != null) ? current.handler() : null;
	}

	Collection<String> servers() {
		EngineAssembly<K, V> current = this.assembly;
		return (current != null) ? current.servers() : List.of();
	}

	/** The owner asks for each topic, for as long as it may. */
	CompletableFuture<List<String>> missing(Collection<String> topics) {
		ConsumerEngine<K, V> current = this.engine;
		if (current == null) {
			return CompletableFuture.completedFuture(List.of());
		}
		return current.execute((consumer) -> topics.stream().filter((topic) -> isMissing(consumer, topic)).toList());
	}

	private static boolean isMissing(Consumer<?, ?> consumer, String topic) {
		try {
			return consumer.partitionsFor(topic, ASK_TIMEOUT).isEmpty();
		}
		catch (RuntimeException ex) {
			// No answer is no answer.
			return ex instanceof InvalidTopicException;
		}
	}

	@Nullable EngineSettings settings() {
		EngineAssembly<K, V> current = this.assembly;
		return (current != null) ? current.settings() : null;
	}

	/** Nobody is to be polled any more. */
	void stopMonitor() {
		EngineAssembly<K, V> ended = this.assembly;
		PollMonitor monitor = (ended != null) ? ended.monitor() : null;
		if (monitor != null) {
			monitor.stop();
		}
	}

}
