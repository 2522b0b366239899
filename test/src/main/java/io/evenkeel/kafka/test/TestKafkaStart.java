package io.evenkeel.kafka.test;

import org.apache.kafka.clients.admin.NewTopic;

import org.springframework.beans.factory.config.ConfigurableListableBeanFactory;
import org.springframework.boot.kafka.autoconfigure.KafkaProperties;
import org.springframework.context.ApplicationListener;
import org.springframework.context.SmartLifecycle;
import org.springframework.context.event.ContextClosedEvent;
import org.springframework.kafka.config.KafkaListenerEndpointRegistry;

/**
 * Before the listeners start it looks at what there is; when the application ends, and
 * before they stop, time begins to run by itself.
 */
final class TestKafkaStart implements SmartLifecycle, ApplicationListener<ContextClosedEvent> {

	private final TestKafka kafka;

	private final ConfigurableListableBeanFactory beans;

	private volatile boolean running;

	TestKafkaStart(TestKafka kafka, ConfigurableListableBeanFactory beans) {
		this.kafka = kafka;
		this.beans = beans;
	}

	@Override
	public void start() {
		this.running = true;
		this.beans.getBeanProvider(NewTopic.class)
			.forEach((topic) -> this.kafka.cluster().declare(topic.name(), Math.max(1, topic.numPartitions())));
		this.kafka.ready(this.beans.getBeanProvider(KafkaListenerEndpointRegistry.class).getIfUnique(),
				new Serialization(this.beans.getBeanProvider(KafkaProperties.class)));
	}

	@Override
	public void stop() {
		this.running = false;
	}

	@Override
	public void onApplicationEvent(ContextClosedEvent event) {
		this.kafka.clock().run();
	}

	@Override
	public boolean isRunning() {
		return this.running;
	}

	@Override
	public int getPhase() {
		return Integer.MIN_VALUE;
	}

}
