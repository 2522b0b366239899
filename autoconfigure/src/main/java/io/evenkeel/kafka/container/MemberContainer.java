package io.evenkeel.kafka.container;

import java.util.Collection;
import java.util.Map;

import org.apache.kafka.common.Metric;
import org.apache.kafka.common.MetricName;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;
import org.springframework.context.ApplicationEventPublisher;
import org.springframework.kafka.core.ConsumerFactory;
import org.springframework.kafka.listener.AbstractMessageListenerContainer;
import org.springframework.kafka.listener.CommonErrorHandler;
import org.springframework.kafka.listener.KafkaMessageListenerContainer;

/**
 * Our container as the one child that spring-kafka's would have: applications find it as
 * the source of events and among the children, and stop it by itself, as the sequencer of
 * container groups does. It has nothing of its own.
 */
final class MemberContainer<K, V> extends KafkaMessageListenerContainer<K, V> {

	private final EvenkeelContainer<K, V> parent;

	MemberContainer(EvenkeelContainer<K, V> parent, ConsumerFactory<? super K, ? super V> factory) {
		super(factory, parent.getContainerProperties());
		this.parent = parent;
		setBeanName(parent.context.memberId());
		String main = parent.getMainListenerId();
		setMainListenerId((main != null) ? main : parent.getListenerId());
		setListenerInfo(parent.getListenerInfo());
		setPhase(parent.getPhase());
		setAutoStartup(parent.isAutoStartup());
	}

	@Override
	public boolean isRunning() {
		return this.parent.isChildRunning();
	}

	@Override
	protected void doStart() {
		this.parent.startMember();
	}

	@Override
	protected void doStop(Runnable callback, boolean normal) {
		this.parent.stopMember(callback, normal);
	}

	@Override
	protected AbstractMessageListenerContainer<?, ?> parentOrThis() {
		return this.parent;
	}

	@Override
	public boolean isInExpectedState() {
		return this.parent.isInExpectedState();
	}

	@Override
	public @Nullable ApplicationEventPublisher getApplicationEventPublisher() {
		return this.parent.getApplicationEventPublisher();
	}

	@Override
	public @Nullable CommonErrorHandler getCommonErrorHandler() {
		return this.parent.getCommonErrorHandler();
	}

	@Override
	public @Nullable String getGroupId() {
		return this.parent.getGroupId();
	}

	@Override
	public Collection<TopicPartition> getAssignedPartitions() {
		return this.parent.getAssignedPartitions();
	}

	@Override
	public Map<String, Collection<TopicPartition>> getAssignmentsByClientId() {
		return this.parent.getAssignmentsByClientId();
	}

	@Override
	public Map<String, Map<MetricName, ? extends Metric>> metrics() {
		return this.parent.metrics();
	}

	@Override
	public void enforceRebalance() {
		this.parent.enforceRebalance();
	}

	@Override
	public void pause() {
		this.parent.pause();
	}

	@Override
	public void resume() {
		this.parent.resume();
	}

	@Override
	public boolean isPauseRequested() {
		return this.parent.isPauseRequested();
	}

	@Override
	public boolean isContainerPaused() {
		return this.parent.isContainerPaused();
	}

	@Override
	public void pausePartition(TopicPartition topicPartition) {
		this.parent.pausePartition(topicPartition);
	}

	@Override
	public void resumePartition(TopicPartition topicPartition) {
		this.parent.resumePartition(topicPartition);
	}

	@Override
	public boolean isPartitionPauseRequested(TopicPartition topicPartition) {
		return this.parent.isPartitionPauseRequested(topicPartition);
	}

	@Override
	public boolean isPartitionPaused(TopicPartition topicPartition) {
		return this.parent.isPartitionPaused(topicPartition);
	}

	@Override
	public String toString() {
		return "Member of " + this.parent;
	}

}
