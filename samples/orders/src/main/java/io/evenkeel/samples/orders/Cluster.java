package io.evenkeel.samples.orders;

import java.util.Collection;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.config.ConfigResource;

import org.springframework.kafka.core.KafkaAdmin;
import org.springframework.stereotype.Component;

/**
 * What the story has to know about the cluster.
 */
@Component
class Cluster {

	private static final String AUTO_CREATE = "auto.create.topics.enable";

	private final KafkaAdmin admin;

	Cluster(KafkaAdmin admin) {
		this.admin = admin;
	}

	/**
	 * How many partitions a topic has.
	 * @param topic the topic's name
	 * @return the number of partitions
	 */
	int partitionsOf(String topic) {
		return this.admin.describeTopics(topic).get(topic).partitions().size();
	}

	/**
	 * Whether a send makes a topic that does not exist.
	 * @return whether a broker says so; {@code false} if it may not be asked
	 * @throws InterruptedException if the thread is interrupted
	 */
	boolean createsTopicsByItself() throws InterruptedException {
		try (Admin client = Admin.create(this.admin.getConfigurationProperties())) {
			Collection<Node> nodes = client.describeCluster().nodes().get(10, TimeUnit.SECONDS);
			ConfigResource broker = new ConfigResource(ConfigResource.Type.BROKER, nodes.iterator().next().idString());
			ConfigEntry entry = client.describeConfigs(List.of(broker))
				.all()
				.get(10, TimeUnit.SECONDS)
				.get(broker)
				.get(AUTO_CREATE);
			return entry != null && Boolean.parseBoolean(entry.value());
		}
		catch (ExecutionException | TimeoutException ex) {
			return false;
		}
	}

}
