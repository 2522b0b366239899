package io.evenkeel.kafka.container.call;

import io.micrometer.observation.ObservationRegistry;
import org.jspecify.annotations.Nullable;
import org.springframework.aop.framework.AopProxyUtils;
import org.springframework.beans.DirectFieldAccessor;
import org.springframework.kafka.listener.AcknowledgingConsumerAwareMessageListener;
import org.springframework.kafka.listener.AcknowledgingMessageListener;
import org.springframework.kafka.listener.BatchMessageListener;
import org.springframework.kafka.listener.ConsumerAwareMessageListener;
import org.springframework.kafka.listener.DelegatingMessageListener;
import org.springframework.kafka.listener.GenericMessageListener;
import org.springframework.kafka.listener.ListenerType;
import org.springframework.kafka.listener.ListenerUtils;
import org.springframework.kafka.listener.MessageListener;
import org.springframework.kafka.listener.adapter.AsyncRepliesAware;
import org.springframework.kafka.listener.adapter.BatchMessagingMessageListenerAdapter;
import org.springframework.kafka.listener.adapter.FilteringMessageListenerAdapter;
import org.springframework.kafka.listener.adapter.MessagingMessageListenerAdapter;
import org.springframework.kafka.listener.adapter.RecordMessagingMessageListenerAdapter;
import org.springframework.kafka.requestreply.ReplyingKafkaOperations;

/**
 * What is known of the listener object that the container was given: a plain listener, or
 * an adapter of an annotated method below any number of delegating ones.
 */
public final class ListenerTarget {

	private final GenericMessageListener<?> listener;

	private final @Nullable MessagingMessageListenerAdapter<?, ?> adapter;

	private final ListenerType type;

	private final boolean recovers;

	public ListenerTarget(Object listener) {
		if (!(listener instanceof GenericMessageListener<?> generic)) {
			throw new IllegalArgumentException("Not a message listener: " + listener.getClass().getName());
		}
		this.listener = generic;
		Object target = bare(listener);
		while (target instanceof DelegatingMessageListener<?> delegating) {
			target = bare(delegating.getDelegate());
		}
		this.type = ListenerUtils.determineListenerType(target);
		this.adapter = (target instanceof MessagingMessageListenerAdapter<?, ?> found) ? found : null;
		this.recovers = this.adapter != null
				&& new DirectFieldAccessor(this.adapter).getPropertyValue("errorHandler") != null;
	}

	/**
	 * Give the adapters the registry through which they tell that a call is over.
	 * @param registry the container's
	 */
	void observe(ObservationRegistry registry) {
		if (this.adapter != null) {
			this.adapter.setObservationRegistry(registry);
			if (registry instanceof CallObservationRegistry calls) {
				WatchedHandler.install(this.adapter, calls);
			}
		}
		Object target = bare(this.listener);
		while (target instanceof DelegatingMessageListener<?> delegating) {
			if (target instanceof FilteringMessageListenerAdapter<?, ?> filtering) {
				filtering.setObservationRegistry(registry);
			}
			target = bare(delegating.getDelegate());
		}
	}

	/** What an advice chain has been put around. */
	private static Object bare(Object listener) {
		Object target = AopProxyUtils.getSingletonTarget(listener);
		return (target != null) ? target : listener;
	}

	/**
	 * Hear of asynchronous failures that nobody recovered.
	 * @param calls the registry that knows the current call
	 */
	void hearAsyncFailures(CallObservationRegistry calls) {
		if (this.adapter instanceof RecordMessagingMessageListenerAdapter<?, ?> records) {
			records.setCallbackForAsyncFailure((record, failure) -> {
				CallObservation call = calls.call();
				if (call != null) {
					call.unrecovered(failure);
				}
			});
		}
	}

	/** Whether the adapter stops an observation when a call is over. */
	boolean tellsWhenOver() {
		return this.adapter != null && !isBatch();
	}

	/**
	 * Whether the listener is an annotated method: a listener object takes records as
	 * they come.
	 */
	boolean isMethod() {
		return this.adapter != null;
	}

	/** Whether all calls return before their work is done. */
	public boolean isAsync() {
		return returnsFutures() && (this.adapter == null || !WatchedHandler.isMixed(this.adapter));
	}

	/** Whether calls of some method return before their work is done. */
	public boolean returnsFutures() {
		return this.listener instanceof AsyncRepliesAware async && async.isAsyncReplies();
	}

	/**
	 * Whether only the result of a call says if its work is done when it returns: the
	 * method has declared a type that a future may have.
	 */
	boolean mayEndLater() {
		return this.adapter != null && !isAsync() && !splitsBatches() && WatchedHandler.mayReturnFuture(this.adapter);
	}

	/** Whether a call may be over later than it returns, for whatever reason. */
	boolean isAwaited() {
		return isAsync() || mayEndLater() || (this.recovers && !splitsBatches());
	}

	/**
	 * Whether the listener is a template that hands the records out as replies: to those
	 * who have asked they are no calls, and have no numbers.
	 */
	boolean isReplyTemplate() {
		return bare(this.listener) instanceof ReplyingKafkaOperations<?, ?, ?>;
	}

	/**
	 * Whether the listener has an error handler of its own, which may recover a failure.
	 */
	boolean recovers() {
		return this.recovers;
	}

	/**
	 * Whether an adapter of the application calls the method for each record of a batch.
	 */
	public boolean splitsBatches() {
		return this.adapter instanceof BatchMessagingMessageListenerAdapter<?, ?>
				&& new DirectFieldAccessor(this.adapter).getPropertyValue("batchToRecordAdapter") != null;
	}

	public boolean isBatch() {
		return this.listener instanceof BatchMessageListener<?, ?>;
	}

	public GenericMessageListener<?> listener() {
		return this.listener;
	}

	ListenerType type() {
		return this.type;
	}

	@SuppressWarnings("unchecked")
	<K, V> BatchMessageListener<K, V> batches() {
		return (BatchMessageListener<K, V>) this.listener;
	}

	@SuppressWarnings("unchecked")
	<K, V> Invocation<K, V> records() {
		Object target = this.listener;
		return switch (this.type) {
			case ACKNOWLEDGING_CONSUMER_AWARE -> ((AcknowledgingConsumerAwareMessageListener<K, V>) target)::onMessage;
			case ACKNOWLEDGING -> (record, acknowledgment, consumer) -> ((AcknowledgingMessageListener<K, V>) target)
				.onMessage(record, acknowledgment);
			case CONSUMER_AWARE -> (record, acknowledgment, consumer) -> ((ConsumerAwareMessageListener<K, V>) target)
				.onMessage(record, consumer);
			case SIMPLE -> (record, acknowledgment, consumer) -> ((MessageListener<K, V>) target).onMessage(record);
		};
	}

	/**
	 * A call of the listener with whatever arguments its type takes.
	 */
	@FunctionalInterface
	interface Invocation<K, V> {

		void invoke(org.apache.kafka.clients.consumer.ConsumerRecord<K, V> record,
				org.springframework.kafka.support.@Nullable Acknowledgment acknowledgment,
				org.apache.kafka.clients.consumer.Consumer<?, ?> consumer);

	}

}
