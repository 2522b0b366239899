package io.evenkeel.kafka.container;

import java.util.Collection;

import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.AuthenticationException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.context.ApplicationEvent;
import org.springframework.context.ApplicationEventPublisher;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.kafka.event.ConcurrentContainerStoppedEvent;
import org.springframework.kafka.event.ConsumerPartitionPausedEvent;
import org.springframework.kafka.event.ConsumerPartitionResumedEvent;
import org.springframework.kafka.event.ConsumerPausedEvent;
import org.springframework.kafka.event.ConsumerResumedEvent;
import org.springframework.kafka.event.ConsumerRetryAuthEvent;
import org.springframework.kafka.event.ConsumerRetryAuthSuccessfulEvent;
import org.springframework.kafka.event.ConsumerStartedEvent;
import org.springframework.kafka.event.ConsumerStartingEvent;
import org.springframework.kafka.event.ConsumerStoppedEvent;
import org.springframework.kafka.event.ConsumerStoppingEvent;
import org.springframework.kafka.event.ContainerStoppedEvent;
import org.springframework.kafka.event.ListenerContainerIdleEvent;
import org.springframework.kafka.event.ListenerContainerNoLongerIdleEvent;
import org.springframework.kafka.event.ListenerContainerPartitionIdleEvent;
import org.springframework.kafka.event.ListenerContainerPartitionNoLongerIdleEvent;
import org.springframework.kafka.event.NonResponsiveConsumerEvent;

/**
 * Publishes spring-kafka's container events. What an event listener throws is logged.
 */
final class ContainerEvents {

	private static final Logger logger = LoggerFactory.getLogger(ContainerEvents.class);

	private final EvenkeelContainer<?, ?> container;

	ContainerEvents(EvenkeelContainer<?, ?> container) {
		this.container = container;
	}

	void publish(ApplicationEvent event) {
		ApplicationEventPublisher publisher = this.container.getApplicationEventPublisher();
		if (publisher == null || (publisher instanceof ConfigurableApplicationContext context && !context.isActive())) {
			// Closed by a handler that was still at work then.
			return;
		}
		try {
			publisher.publishEvent(event);
		}
		catch (RuntimeException ex) {
			logger.error("{}: a listener of {} failed", this.container.getListenerId(),
					event.getClass().getSimpleName(), ex);
		}
	}

	void starting() {
		publish(new ConsumerStartingEvent(this.container.source(), this.container));
	}

	void started() {
		publish(new ConsumerStartedEvent(this.container.source(), this.container));
	}

	void stopping(Consumer<?, ?> consumer, Collection<TopicPartition> partitions) {
		publish(new ConsumerStoppingEvent(this.container.source(), this.container, consumer, partitions));
	}

	void stopped(ConsumerStoppedEvent.Reason reason) {
		publish(new ConsumerStoppedEvent(this.container.source(), this.container, reason));
		publish(new ConcurrentContainerStoppedEvent(this.container, reason));
	}

	void containerStopped() {
		publish(new ContainerStoppedEvent(this.container, this.container));
	}

	void paused(Collection<TopicPartition> partitions) {
		publish(new ConsumerPausedEvent(this.container.source(), this.container, partitions));
	}

	void resumed(Collection<TopicPartition> partitions) {
		publish(new ConsumerResumedEvent(this.container.source(), this.container, partitions));
	}

	void partitionPaused(TopicPartition partition) {
		publish(new ConsumerPartitionPausedEvent(this.container.source(), this.container, partition));
	}

	void partitionResumed(TopicPartition partition) {
		publish(new ConsumerPartitionResumedEvent(this.container.source(), this.container, partition));
	}

	void refused(RuntimeException failure) {
		publish(new ConsumerRetryAuthEvent(this.container.source(), this.container,
				(failure instanceof AuthenticationException) ? ConsumerRetryAuthEvent.Reason.AUTHENTICATION
						: ConsumerRetryAuthEvent.Reason.AUTHORIZATION));
	}

	void accepted() {
		publish(new ConsumerRetryAuthSuccessfulEvent(this.container.source(), this.container));
	}

	void silent(long sinceLastPoll, Consumer<?, ?> consumer) {
		publish(new NonResponsiveConsumerEvent(this.container.source(), this.container, sinceLastPoll,
				this.container.memberId(), this.container.getAssignedPartitions(), consumer));
	}

	void partitionIdle(long idleMillis, TopicPartition partition, Consumer<?, ?> consumer, boolean paused) {
		publish(new ListenerContainerPartitionIdleEvent(this.container.source(), this.container, idleMillis,
				this.container.memberId(), partition, consumer, paused));
	}

	void partitionNoLongerIdle(long idleMillis, TopicPartition partition, Consumer<?, ?> consumer) {
		publish(new ListenerContainerPartitionNoLongerIdleEvent(this.container.source(), this.container, idleMillis,
				this.container.memberId(), partition, consumer));
	}

	void idle(long idleMillis, Consumer<?, ?> consumer, boolean paused) {
		publish(new ListenerContainerIdleEvent(this.container.source(), this.container, idleMillis,
				this.container.memberId(), this.container.getAssignedPartitions(), consumer, paused));
	}

	void noLongerIdle(long idleMillis, Consumer<?, ?> consumer) {
		publish(new ListenerContainerNoLongerIdleEvent(this.container.source(), this.container, idleMillis,
				this.container.memberId(), this.container.getAssignedPartitions(), consumer));
	}

}
