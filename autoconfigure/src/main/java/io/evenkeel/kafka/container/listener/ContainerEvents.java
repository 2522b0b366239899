package io.evenkeel.kafka.container.listener;

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
public final class ContainerEvents {

	private static final Logger logger = LoggerFactory.getLogger(ContainerEvents.class);

	private final ListenerContext context;

	public ContainerEvents(ListenerContext context) {
		this.context = context;
	}

	public void publish(ApplicationEvent event) {
		ApplicationEventPublisher publisher = this.context.publisher();
		if (publisher == null || (publisher instanceof ConfigurableApplicationContext context && !context.isActive())) {
			// Closed by a handler that was still at work then.
			return;
		}
		try {
			publisher.publishEvent(event);
		}
		catch (RuntimeException ex) {
			logger.error("{}: a listener of {} failed", this.context.id(), event.getClass().getSimpleName(), ex);
		}
	}

	public void starting() {
		publish(new ConsumerStartingEvent(this.context.source(), this.context.container()));
	}

	public void started() {
		publish(new ConsumerStartedEvent(this.context.source(), this.context.container()));
	}

	public void stopping(Consumer<?, ?> consumer, Collection<TopicPartition> partitions) {
		publish(new ConsumerStoppingEvent(this.context.source(), this.context.container(), consumer, partitions));
	}

	public void stopped(ConsumerStoppedEvent.Reason reason) {
		publish(new ConsumerStoppedEvent(this.context.source(), this.context.container(), reason));
		publish(new ConcurrentContainerStoppedEvent(this.context.container(), reason));
	}

	public void containerStopped() {
		publish(new ContainerStoppedEvent(this.context.container(), this.context.container()));
	}

	public void paused(Collection<TopicPartition> partitions) {
		publish(new ConsumerPausedEvent(this.context.source(), this.context.container(), partitions));
	}

	public void resumed(Collection<TopicPartition> partitions) {
		publish(new ConsumerResumedEvent(this.context.source(), this.context.container(), partitions));
	}

	public void partitionPaused(TopicPartition partition) {
		publish(new ConsumerPartitionPausedEvent(this.context.source(), this.context.container(), partition));
	}

	public void partitionResumed(TopicPartition partition) {
		publish(new ConsumerPartitionResumedEvent(this.context.source(), this.context.container(), partition));
	}

	public void refused(RuntimeException failure) {
		publish(new ConsumerRetryAuthEvent(this.context.source(), this.context.container(),
				(failure instanceof AuthenticationException) ? ConsumerRetryAuthEvent.Reason.AUTHENTICATION
						: ConsumerRetryAuthEvent.Reason.AUTHORIZATION));
	}

	public void accepted() {
		publish(new ConsumerRetryAuthSuccessfulEvent(this.context.source(), this.context.container()));
	}

	public void silent(long sinceLastPoll, Consumer<?, ?> consumer) {
		publish(new NonResponsiveConsumerEvent(this.context.source(), this.context.container(), sinceLastPoll,
				this.context.memberId(), this.context.assigned(), consumer));
	}

	public void partitionIdle(long idleMillis, TopicPartition partition, Consumer<?, ?> consumer, boolean paused) {
		publish(new ListenerContainerPartitionIdleEvent(this.context.source(), this.context.container(), idleMillis,
				this.context.memberId(), partition, consumer, paused));
	}

	public void partitionNoLongerIdle(long idleMillis, TopicPartition partition, Consumer<?, ?> consumer) {
		publish(new ListenerContainerPartitionNoLongerIdleEvent(this.context.source(), this.context.container(),
				idleMillis, this.context.memberId(), partition, consumer));
	}

	public void idle(long idleMillis, Consumer<?, ?> consumer, boolean paused) {
		publish(new ListenerContainerIdleEvent(this.context.source(), this.context.container(), idleMillis,
				this.context.memberId(), this.context.assigned(), consumer, paused));
	}

	public void noLongerIdle(long idleMillis, Consumer<?, ?> consumer) {
		publish(new ListenerContainerNoLongerIdleEvent(this.context.source(), this.context.container(), idleMillis,
				this.context.memberId(), this.context.assigned(), consumer));
	}

}
