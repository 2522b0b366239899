package io.evenkeel.kafka.container.life;

import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.function.IntSupplier;

import io.evenkeel.kafka.config.SettingChecks;
import io.evenkeel.kafka.container.listener.HandlerSettings;
import io.evenkeel.kafka.container.listener.ListenerContext;
import io.evenkeel.kafka.engine.ConsumerEngine;
import io.evenkeel.kafka.engine.ConsumerView;
import io.evenkeel.kafka.engine.EngineSettings;
import io.evenkeel.kafka.engine.EngineSnapshot;
import io.evenkeel.kafka.engine.RebalanceLog;
import io.evenkeel.kafka.engine.RunningCall;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.common.Metric;
import org.apache.kafka.common.MetricName;
import org.apache.kafka.common.errors.InvalidTopicException;
import org.jspecify.annotations.Nullable;

/**
 * The engine of a container's last start, and what the container answers from it; before
 * the first start, what the answers would be.
 *
 * <h2>Threading</h2> Replaced under the container's life-cycle lock, asked from any
 * thread.
 *
 * <h2>Why</h2> The fields are volatile so that a question never waits for a start or a
 * stop, and each question reads a field once: who finds an engine finds its settings,
 * too, as a run holds both. The limit outlives the engines: one that is changed while a
 * start is under way may count from the next start on.
 */
public final class CurrentEngine<K, V> {

	/** Nothing is assigned while it is asked. */
	private static final Duration ASK_TIMEOUT = Duration.ofMillis(500);

	private static final ConsumerView NO_CONSUMER = new ConsumerView(Map.of(), null, Set.of(), Map.of());

	private final ListenerContext context;

	private final IntSupplier concurrency;

	private volatile @Nullable ListenerRun<K, V> run;

	/** What was found out before the first start. */
	private volatile @Nullable RunSettings checked;

	private volatile @Nullable Integer limit;

	/**
	 * Make the place for the engines of a container.
	 * @param context the listener's
	 * @param concurrency the most calls at once as long as nothing else is known
	 */
	public CurrentEngine(ListenerContext context, IntSupplier concurrency) {
		this.context = context;
		this.concurrency = concurrency;
	}

	/** Nothing was started, but the settings are known now. */
	public void checked(RunSettings checked) {
		this.checked = checked;
	}

	public void replace(ListenerRun<K, V> started) {
		this.run = started;
	}

	/** Give a new engine the limit that was asked for while others ran. */
	public void limit(ConsumerEngine<K, V> started) {
		Integer known = this.limit;
		if (known != null) {
			started.limit(known);
		}
	}

	public void changeLimit(int limit) {
		if (!SettingChecks.isConcurrency(limit)) {
			throw new IllegalArgumentException(
					"concurrency must be between 1 and " + SettingChecks.MAX_CONCURRENCY + ", not " + limit);
		}
		this.limit = limit;
		ConsumerEngine<K, V> current = engine();
		if (current != null) {
			current.limit(limit);
		}
	}

	public int limit() {
		ConsumerEngine<K, V> current = running();
		if (current != null) {
			return current.limit();
		}
		Integer known = this.limit;
		EngineSettings settings = settings();
		if (known != null) {
			return known;
		}
		return (settings != null) ? settings.concurrency() : this.concurrency.getAsInt();
	}

	/** Null before the first start. */
	public @Nullable ConsumerEngine<K, V> engine() {
		ListenerRun<K, V> known = this.run;
		return (known != null) ? known.engine() : null;
	}

	/** Null while the container is stopped. */
	private @Nullable ConsumerEngine<K, V> running() {
		ConsumerEngine<K, V> current = engine();
		return (current != null && this.context.container().isRunning()) ? current : null;
	}

	/** The client's own metrics, which any thread may read. */
	public Map<String, Map<MetricName, ? extends Metric>> metrics() {
		ConsumerView view = view();
		return view.metrics().isEmpty() ? Map.of() : Map.of(clientId(view), view.metrics());
	}

	/** The id that the client really has. */
	public String clientId() {
		return clientId(view());
	}

	private String clientId(ConsumerView view) {
		String known = view.clientId();
		return (known != null) ? known : this.context.id();
	}

	/** What is known of the consumer; nothing assigned while there is none. */
	ConsumerView view() {
		ConsumerEngine<K, V> current = engine();
		return (current != null) ? current.view() : NO_CONSUMER;
	}

	public EngineSnapshot snapshot() {
		ConsumerEngine<K, V> current = engine();
		return (current != null) ? current.snapshot() : new EngineSnapshot(0, "", 0, 0, 0, List.of());
	}

	public List<RunningCall> runningCalls() {
		ConsumerEngine<K, V> current = engine();
		return (current != null) ? current.running() : List.of();
	}

	public List<RebalanceLog.Entry> rebalances() {
		ConsumerEngine<K, V> current = engine();
		return (current != null) ? current.rebalances().entries() : List.of();
	}

	public boolean isRebalancing() {
		ConsumerEngine<K, V> current = engine();
		return current != null && current.isRebalancing();
	}

	public long lastPollNanos() {
		ConsumerEngine<K, V> current = engine();
		return (current != null) ? current.lastPollNanos() : 0;
	}

	public void enforceRebalance() {
		ConsumerEngine<K, V> current = engine();
		if (current != null) {
			current.onOwner((consumer) -> consumer.enforceRebalance("Enforced by the application"));
		}
	}

	public long recoveryFailingSince() {
		ListenerRun<K, V> known = this.run;
		return (known != null) ? known.recoveryFailingSince().getAsLong() : 0;
	}

	public String groupProtocol() {
		RunSettings known = known();
		return (known != null) ? known.groupProtocol() : "classic";
	}

	/** The owner asks for each topic, for as long as it may. */
	public CompletableFuture<List<String>> missing(Collection<String> topics) {
		ConsumerEngine<K, V> current = engine();
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

	public @Nullable EngineSettings settings() {
		RunSettings known = known();
		return (known != null) ? known.engine() : null;
	}

	public @Nullable HandlerSettings handler() {
		RunSettings known = known();
		return (known != null) ? known.handler() : null;
	}

	public Collection<String> servers() {
		RunSettings known = known();
		return (known != null) ? known.servers() : List.of();
	}

	private @Nullable RunSettings known() {
		ListenerRun<K, V> started = this.run;
		return (started != null) ? started.settings() : this.checked;
	}

	/** Nobody is to be polled any more. */
	public void stopMonitor() {
		ListenerRun<K, V> ended = this.run;
		if (ended != null) {
			ended.monitor().stop();
		}
	}

}
