package io.evenkeel.kafka.container;

import java.util.Map;

import io.evenkeel.kafka.broker.EmbeddedBroker;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.TopicPartition;
import org.assertj.core.api.Assertions;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import org.springframework.context.annotation.Configuration;
import org.springframework.kafka.annotation.KafkaListener;
import org.springframework.kafka.config.ConcurrentKafkaListenerContainerFactory;
import org.springframework.kafka.listener.ConsumerSeekAware;
import org.springframework.kafka.listener.MessageListener;
import org.springframework.kafka.listener.MessageListenerContainer;

/**
 * What spring-kafka's manual and its own tests promise a listener, under both containers.
 */
class ListenerPromisesIT {

	@ParameterizedTest
	@EnumSource
	void whatACallbackIsToldTheContainerKnows(Engine engine) {
		String topic = EmbeddedBroker.topic("told", 2);
		Calls calls = new Calls();
		try (App app = App.of(ByHand.class).bean(calls).on(engine).start(topic)) {
			Assertions.assertThat(app.container("byhand").getAssignedPartitions())
				.containsExactly(new TopicPartition(topic, 1));
			MessageListenerContainer container = app.bean(ConcurrentKafkaListenerContainerFactory.class)
				.createContainer(topic);
			container.getContainerProperties().setGroupId(topic + "-told");
			container.setupMessageListener(new Told(calls, container));
			container.start();
			try {
				calls.awaitExactly("assigned 2", "first poll 2");
			}
			finally {
				container.stop();
			}
		}
	}

	/** Looks into its container whenever it is told something. */
	record Told(Calls calls,
			MessageListenerContainer container) implements MessageListener<Object, Object>, ConsumerSeekAware {

		@Override
		public void onMessage(ConsumerRecord<Object, Object> data) {
		}

		@Override
		public void onPartitionsAssigned(Map<TopicPartition, Long> assignments, ConsumerSeekCallback callback) {
			this.calls.add("assigned " + this.container.getAssignedPartitions().size());
		}

		@Override
		public void onFirstPoll() {
			this.calls.add("first poll " + this.container.getAssignedPartitions().size());
		}

	}

	@Configuration(proxyBeanMethods = false)
	static class ByHand {

		@KafkaListener(id = "byhand", topicPartitions = @org.springframework.kafka.annotation.TopicPartition(
				topic = "${test.topic}", partitions = "1"))
		void listen(String value) {
		}

	}

}
