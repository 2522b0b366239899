package io.evenkeel.kafka.broker;

import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;

import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.clients.admin.NewTopic;
import org.awaitility.Awaitility;

import org.springframework.kafka.test.EmbeddedKafkaKraftBroker;

/**
 * One KRaft broker in the test's JVM, shared by all test classes of that JVM. Tests keep
 * apart by topic and group names of their own, see {@link #unique}.
 */
public final class EmbeddedBroker {

	private static final AtomicInteger NAMES = new AtomicInteger();

	private static EmbeddedKafkaKraftBroker broker;

	private EmbeddedBroker() {
	}

	/**
	 * The addresses of the broker, which is started by the first call.
	 */
	public static synchronized String bootstrapServers() {
		if (broker == null) {
			EmbeddedKafkaKraftBroker started = new EmbeddedKafkaKraftBroker(1, 1);
			started.brokerProperties(Map.of("auto.create.topics.enable", "false", "group.initial.rebalance.delay.ms",
					"0", "group.consumer.min.heartbeat.interval.ms", "200", "group.consumer.heartbeat.interval.ms",
					"200", "group.consumer.min.session.timeout.ms", "1000", "group.min.session.timeout.ms", "1000",
					"log.cleaner.dedupe.buffer.size", "2097152", "transaction.state.log.min.isr", "1",
					"transaction.state.log.replication.factor", "1", "offsets.topic.num.partitions", "3"));
			started.brokerProperty("log.cleaner.backoff.ms", "500");
			started.afterPropertiesSet();
			Runtime.getRuntime().addShutdownHook(new Thread(started::destroy));
			broker = started;
		}
		return broker.getBrokersAsString();
	}

	/**
	 * A name that no other test uses.
	 */
	public static String unique(String prefix) {
		return prefix + "-" + NAMES.incrementAndGet() + "-" + ProcessHandle.current().pid();
	}

	/**
	 * Make a topic with a unique name.
	 */
	public static String topic(String prefix, int partitions) {
		String name = unique(prefix);
		createTopic(name, partitions, Map.of());
		return name;
	}

	public static void createTopic(String name, int partitions, Map<String, String> configs) {
		try (Admin admin = admin()) {
			admin.createTopics(java.util.List.of(new NewTopic(name, partitions, (short) 1).configs(configs)))
				.all()
				.get();
			// The answer comes from the controller: the broker may not know the topic
			// yet.
			Awaitility.await()
				.ignoreExceptions()
				.until(() -> admin.describeTopics(java.util.List.of(name))
					.allTopicNames()
					.get()
					.get(name)
					.partitions()
					.stream()
					.allMatch((partition) -> partition.leader() != null));
		}
		catch (Exception ex) {
			throw new IllegalStateException(ex);
		}
	}

	public static Admin admin() {
		return Admin.create(Map.of(AdminClientConfig.BOOTSTRAP_SERVERS_CONFIG, bootstrapServers()));
	}

}
