package io.evenkeel.kafka.container;

import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

import io.evenkeel.kafka.engine.AssignedPartition;
import org.apache.kafka.common.TopicPartition;
import org.springframework.context.ApplicationEvent;

/**
 * Something happened to the assignment of a listener.
 */
public abstract class PartitionsEvent extends ApplicationEvent {

	private static final long serialVersionUID = 1L;

	private final String listenerId;

	private final transient Map<TopicPartition, Long> epochs;

	PartitionsEvent(Object source, String listenerId, Collection<AssignedPartition> partitions) {
		super(source);
		this.listenerId = listenerId;
		Map<TopicPartition, Long> byPartition = new LinkedHashMap<>();
		partitions.forEach((assigned) -> byPartition.put(assigned.partition(), assigned.epoch()));
		this.epochs = byPartition;
	}

	/**
	 * The id of the listener.
	 * @return {@code @KafkaListener(id)}
	 */
	public String getListenerId() {
		return this.listenerId;
	}

	/**
	 * The partitions.
	 * @return possibly empty
	 */
	public List<TopicPartition> getPartitions() {
		return new ArrayList<>(this.epochs.keySet());
	}

	/**
	 * The numbers of the assignments, rising within a listener: the same partition
	 * assigned again has a higher one.
	 * @return by partition
	 */
	public Map<TopicPartition, Long> getEpochs() {
		return Map.copyOf(this.epochs);
	}

	@Override
	public String toString() {
		return getClass().getSimpleName() + " [listenerId=" + this.listenerId + ", epochs=" + this.epochs + "]";
	}

}
