package io.evenkeel.samples.orders;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;

import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.config.ConfigResource;

import org.springframework.kafka.core.KafkaAdmin;
import org.springframework.stereotype.Component;

/**
 * What the story has to know about the cluster.
 */
@Component
class Cluster {

	private static final long SECONDS_TO_ANSWER = 10;

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
		try (Admin client = client()) {
			return answer(client, (cluster) -> cluster.describeTopics(List.of(topic)).allTopicNames()).get(topic)
				.partitions()
				.size();
		}
		catch (ExecutionException ex) {
			throw new IllegalStateException("The cluster does not tell about topic '%s'".formatted(topic), ex);
		}
	}

	/**
	 * Whether a send makes a topic that does not exist.
	 * @return whether a broker says so; {@code false} if it may not be asked
	 */
	boolean createsTopicsByItself() {
		try (Admin client = client()) {
			String node = answer(client, (cluster) -> cluster.describeCluster().nodes()).iterator().next().idString();
			ConfigResource broker = new ConfigResource(ConfigResource.Type.BROKER, node);
			ConfigEntry entry = answer(client, (cluster) -> cluster.describeConfigs(List.of(broker)).all()).get(broker)
				.get("auto.create.topics.enable");
			return entry != null && Boolean.parseBoolean(entry.value());
		}
		catch (ExecutionException ex) {
			return false;
		}
	}

	private Admin client() {
		return Admin.create(this.admin.getConfigurationProperties());
	}

	private <T> T answer(Admin client, Function<Admin, KafkaFuture<T>> question) throws ExecutionException {
		try {
			return question.apply(client).get(SECONDS_TO_ANSWER, TimeUnit.SECONDS);
		}
		catch (TimeoutException ex) {
			client.close(Duration.ZERO);
			throw new IllegalStateException("No answer from the cluster within %d s".formatted(SECONDS_TO_ANSWER), ex);
		}
		catch (InterruptedException ex) {
			Thread.currentThread().interrupt();
			throw new IllegalStateException("Interrupted while waiting for the cluster", ex);
		}
	}

}
