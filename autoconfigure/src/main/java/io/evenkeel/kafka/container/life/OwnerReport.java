package io.evenkeel.kafka.container.life;

import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

import io.evenkeel.kafka.engine.StopCause;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;

/**
 * What the owner thread tells of a container's run beside its engine's snapshots: what is
 * assigned, whether a pause has come true, and why the consumer is being replaced or the
 * engine has ended.
 *
 * <h2>Threading</h2> Written by the thread that starts the container and then, until the
 * engine has ended, by its owner thread; read by any.
 *
 * <h2>Why</h2> Each field is volatile and stands for itself: who reads one must see the
 * owner's last word, and nobody draws a conclusion from two of them. A lock would make a
 * health check wait for a start or a stop.
 */
public final class OwnerReport {

	private volatile Collection<TopicPartition> assigned = List.of();

	private volatile boolean paused;

	private volatile long startedNanos;

	private volatile @Nullable Throwable restartCause;

	private volatile @Nullable Ending ending;

	/** A start was asked for: what ended the last run is history. */
	public void preparing() {
		this.ending = null;
		this.restartCause = null;
	}

	/** The client refused its configuration: there will be no owner thread. */
	void refused(Throwable why) {
		this.ending = new Ending(StopCause.ERROR, why);
	}

	/** The owner thread is about to start. */
	void starting(long nowNanos) {
		this.startedNanos = nowNanos;
		this.paused = false;
	}

	/** Before anybody is told of it: who is told looks. */
	public void assigned(Collection<TopicPartition> partitions) {
		this.restartCause = null;
		Set<TopicPartition> now = new LinkedHashSet<>(this.assigned);
		now.addAll(partitions);
		this.assigned = List.copyOf(now);
	}

	/** Before anybody is told that they are gone for good. */
	public void unassigned(Collection<TopicPartition> partitions) {
		this.restartCause = null;
		Set<TopicPartition> now = new LinkedHashSet<>(this.assigned);
		partitions.forEach(now::remove);
		this.assigned = List.copyOf(now);
	}

	public void restarting(Throwable cause) {
		this.assigned = List.of();
		this.restartCause = cause;
	}

	public void paused(boolean paused) {
		this.paused = paused;
	}

	public void ended(StopCause cause, @Nullable Throwable why) {
		this.assigned = List.of();
		if (cause != StopCause.REQUESTED) {
			this.ending = new Ending(cause, why);
		}
	}

	/** As of the last rebalance, from before its callbacks on. */
	public Collection<TopicPartition> assigned() {
		return this.assigned;
	}

	public boolean isPaused() {
		return this.paused;
	}

	/** Nanoseconds of the listener's clock, 0 before the first start. */
	public long startedNanos() {
		return this.startedNanos;
	}

	public @Nullable Throwable restartCause() {
		return this.restartCause;
	}

	public @Nullable Ending ending() {
		return this.ending;
	}

	/**
	 * Why an engine has ended that nobody had asked to.
	 *
	 * @param cause the kind of reason
	 * @param failure what led to it, null when unknown
	 */
	public record Ending(StopCause cause, @Nullable Throwable failure) {
	}

}
