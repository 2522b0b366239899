package io.evenkeel.kafka.guarantee;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;

import io.evenkeel.kafka.broker.EmbeddedBroker;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;

/**
 * A group as the broker sees it.
 */
final class Group {

	private Group() {
	}

	/** With KIP-848 the broker owns the session timeout. */
	static void sessionTimeout(String group, int millis) {
		try (Admin admin = EmbeddedBroker.admin()) {
			admin
				.incrementalAlterConfigs(
						Map.of(new ConfigResource(ConfigResource.Type.GROUP, group),
								List.of(set("consumer.session.timeout.ms", millis),
										set("consumer.heartbeat.interval.ms", 200))))
				.all()
				.get();
		}
		catch (ExecutionException | InterruptedException ex) {
			throw new IllegalStateException(ex);
		}
	}

	private static AlterConfigOp set(String name, int value) {
		return new AlterConfigOp(new ConfigEntry(name, String.valueOf(value)), AlterConfigOp.OpType.SET);
	}

	static Map<TopicPartition, Long> committed(String group) {
		Map<TopicPartition, Long> committed = new HashMap<>();
		offsets(group).forEach((partition, offset) -> {
			if (offset != null) {
				committed.put(partition, offset.offset());
			}
		});
		return committed;
	}

	static Map<TopicPartition, OffsetAndMetadata> offsets(String group) {
		try (Admin admin = EmbeddedBroker.admin()) {
			return admin.listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata().get();
		}
		catch (ExecutionException | InterruptedException ex) {
			throw new IllegalStateException(ex);
		}
	}

	static Map<TopicPartition, Long> ends(String topic, int partitions) {
		try (Admin admin = EmbeddedBroker.admin()) {
			Map<TopicPartition, OffsetSpec> wanted = new HashMap<>();
			for (int i = 0; i < partitions; i++) {
				wanted.put(new TopicPartition(topic, i), OffsetSpec.latest());
			}
			Map<TopicPartition, Long> ends = new HashMap<>();
			admin.listOffsets(wanted).all().get().forEach((partition, info) -> ends.put(partition, info.offset()));
			return ends;
		}
		catch (ExecutionException | InterruptedException ex) {
			throw new IllegalStateException(ex);
		}
	}

}
