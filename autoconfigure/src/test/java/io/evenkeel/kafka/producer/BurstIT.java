package io.evenkeel.kafka.producer;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;

import org.apache.kafka.clients.producer.ProducerConfig;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import org.springframework.kafka.core.KafkaTemplate;
import org.springframework.kafka.support.SendResult;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Senders that ignore their futures, and what they may expect of a flush.
 */
class BurstIT {

	/** Red when a sender is told that there is no room instead of being held. */
	@ParameterizedTest
	@EnumSource(Templates.class)
	void aBurstLosesNothing(Templates which) throws Exception {
		try (TemplateRig rig = new TemplateRig(which)) {
			KafkaTemplate<String, String> template = rig.template();
			String topic = rig.topic(3);
			List<Thread> senders = new ArrayList<>();
			for (int sender = 0; sender < 3; sender++) {
				Thread thread = new Thread(() -> send(template, topic, 10_000, "x".repeat(100)));
				senders.add(thread);
				thread.start();
			}
			for (Thread sender : senders) {
				sender.join();
			}
			template.flush();
			assertThat(rig.records(topic)).hasSize(30_000);
		}
	}

	/** Red when what the client has no memory for is not waited for. */
	@ParameterizedTest
	@EnumSource(Templates.class)
	void aBurstBeyondTheClientsMemoryLosesNothing(Templates which) throws Exception {
		try (TemplateRig rig = new TemplateRig(which).config(ProducerConfig.BUFFER_MEMORY_CONFIG, 500_000L)) {
			KafkaTemplate<String, String> template = rig.template();
			String topic = rig.topic(3);
			send(template, topic, 10_000, "x".repeat(1000));
			template.flush();
			assertThat(rig.records(topic)).hasSize(10_000);
		}
	}

	/** Red when a flush gives callbacks a fixed time. */
	@ParameterizedTest
	@EnumSource(Templates.class)
	void aFlushReturnsAfterTheCallbacks(Templates which) throws Exception {
		try (TemplateRig rig = new TemplateRig(which)) {
			KafkaTemplate<String, String> template = rig.template();
			String topic = rig.topic(1);
			AtomicInteger ended = new AtomicInteger();
			for (int i = 0; i < 200; i++) {
				template.send(topic, "v").thenAccept((result) -> {
					LockSupport.parkNanos(5_000_000);
					ended.incrementAndGet();
				});
			}
			template.flush();
			assertThat(ended).hasValue(200);
		}
	}

	/** The stock client cannot: its only thread waits for itself. */
	@Test
	void continuationsThatSendAndWaitAllEnd() throws Exception {
		try (TemplateRig rig = new TemplateRig(Templates.EVENKEEL)) {
			KafkaTemplate<String, String> template = rig.template();
			String topic = rig.topic(1);
			List<CompletableFuture<SendResult<String, String>>> ends = new ArrayList<>();
			for (int i = 0; i < 100; i++) {
				ends.add(template.send(topic, "outer").thenApply((result) -> template.send(topic, "inner").join()));
			}
			for (CompletableFuture<SendResult<String, String>> end : ends) {
				assertThat(end.get(60, TimeUnit.SECONDS)).isNotNull();
			}
		}
	}

	@ParameterizedTest
	@EnumSource(Templates.class)
	@EnabledIfSystemProperty(named = "evenkeel.guarantee", matches = "long")
	void aLargeBurstLosesNothing(Templates which) throws Exception {
		try (TemplateRig rig = new TemplateRig(which)) {
			KafkaTemplate<String, String> template = rig.template();
			for (int size : new int[] { 100, 1000 }) {
				String topic = rig.topic(4);
				send(template, topic, 120_000, "x".repeat(size));
				template.flush();
				assertThat(rig.records(topic)).hasSize(120_000);
			}
		}
	}

	private static void send(KafkaTemplate<String, String> template, String topic, int count, String value) {
		for (int i = 0; i < count; i++) {
			template.send(topic, value);
		}
	}

}
