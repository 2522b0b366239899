package io.evenkeel.kafka.container;

import java.util.Collection;
import java.util.List;
import java.util.concurrent.CompletableFuture;

import io.evenkeel.kafka.container.life.CurrentEngine;
import io.evenkeel.kafka.container.life.OwnerReport;
import io.evenkeel.kafka.container.listener.HandlerSettings;
import io.evenkeel.kafka.container.listener.ListenerContext;
import io.evenkeel.kafka.engine.EngineSettings;
import io.evenkeel.kafka.engine.EngineSnapshot;
import io.evenkeel.kafka.engine.RebalanceLog;
import io.evenkeel.kafka.engine.RunningCall;
import org.jspecify.annotations.Nullable;
import org.springframework.kafka.core.ConsumerFactory;
import org.springframework.kafka.listener.ConcurrentMessageListenerContainer;
import org.springframework.kafka.listener.ContainerProperties;
import org.springframework.kafka.listener.MessageListenerContainer;

/**
 * What a container tells of itself beyond what spring-kafka's do: to health, meters, the
 * endpoint and the application. Its only subclass lives the life that is told of.
 *
 * <h2>Threading</h2> Any thread may ask; no answer waits for the life-cycle lock.
 *
 * @param <K> the type of the key
 * @param <V> the type of the value
 */
abstract class ReportingContainer<K, V> extends ConcurrentMessageListenerContainer<K, V> {

	/** What the owner thread tells. */
	final OwnerReport state = new OwnerReport();

	final ListenerContext context = new ListenerContext(this, this::source, this::getApplicationContext);

	/** What the engine tells. */
	final CurrentEngine<K, V> current = new CurrentEngine<>(this.context, this::getConcurrency);

	ReportingContainer(@Nullable ConsumerFactory<? super K, ? super V> consumerFactory,
			ContainerProperties containerProperties) {
		super(consumerFactory, containerProperties);
	}

	/**
	 * Change the most handler calls at once while the container runs; it stays so until
	 * the application ends.
	 * @param limit 1 to 10,000
	 */
	public void changeConcurrency(int limit) {
		this.current.changeLimit(limit);
	}

	/**
	 * The most handler calls at once.
	 * @return of the next start while it is stopped
	 */
	public int concurrencyLimit() {
		return this.current.limit();
	}

	/**
	 * What the engine looked like at the end of a recent turn.
	 * @return empty while the container is stopped
	 */
	public EngineSnapshot snapshot() {
		return this.current.snapshot();
	}

	/**
	 * The last rebalances of the last start.
	 * @return at most 50, oldest first
	 */
	public List<RebalanceLog.Entry> rebalances() {
		return this.current.rebalances();
	}

	/**
	 * The calls that threads are inside just now.
	 * @return in no order
	 */
	public List<RunningCall> runningCalls() {
		return this.current.runningCalls();
	}

	/**
	 * Whether a rebalance callback is running.
	 * @return true inside one
	 */
	public boolean isRebalancing() {
		return this.current.isRebalancing();
	}

	/**
	 * When the owner's last poll returned.
	 * @return {@link System#nanoTime()}, 0 before the first
	 */
	public long lastPollNanos() {
		return this.current.lastPollNanos();
	}

	/**
	 * When the owner was last seen at work: its last poll, or its start.
	 * @return {@link System#nanoTime()}, 0 before the first start
	 */
	public long lastActivityNanos() {
		return (lastPollNanos() != 0) ? lastPollNanos() : this.state.startedNanos();
	}

	/**
	 * Why the container stopped by itself.
	 * @return null when it runs or was stopped on request
	 */
	public EvenkeelContainer.@Nullable Failure failure() {
		OwnerReport.Ending ending = this.state.ending();
		return (ending != null) ? new EvenkeelContainer.Failure(ending.cause(), ending.failure()) : null;
	}

	/**
	 * Why the consumer is being replaced just now.
	 * @return null when it is not
	 */
	public @Nullable Throwable restartCause() {
		return this.state.restartCause();
	}

	/**
	 * Since when recoveries of this listener have been failing.
	 * @return {@link System#nanoTime()}, 0 when they do not
	 */
	public long recoveryFailingSince() {
		return this.current.recoveryFailingSince();
	}

	/**
	 * The group protocol in use.
	 * @return {@code classic} or {@code consumer}
	 */
	public String groupProtocol() {
		return this.current.groupProtocol();
	}

	/**
	 * What is watched of the calls of the handler.
	 * @return null while nothing is known
	 */
	public @Nullable HandlerSettings handlerSettings() {
		return this.current.handler();
	}

	/**
	 * The brokers as configured.
	 * @return host and port of each; empty while nothing is known
	 */
	public Collection<String> bootstrapServers() {
		return this.current.servers();
	}

	/**
	 * Ask brokers which of some topics they do not know. The owner does it between two
	 * polls, and is not at its other work meanwhile: for listeners without partitions.
	 * @param topics their names
	 * @return completed by the owner; what nobody answers for is not missing
	 */
	public CompletableFuture<List<String>> missingTopics(Collection<String> topics) {
		return this.current.missing(topics);
	}

	/**
	 * The settings of the engine.
	 * @return those of the next start while it is stopped; null while nothing is known
	 */
	public @Nullable EngineSettings settings() {
		return this.current.settings();
	}

	/** What spring-kafka's events come from: the one child, once there is one. */
	abstract MessageListenerContainer source();

}
