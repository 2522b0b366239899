package io.evenkeel.samples.orders;

import java.io.OutputStream;
import java.io.PrintStream;
import java.util.Map;

import org.springframework.beans.factory.support.DefaultListableBeanFactory;
import org.springframework.context.ApplicationContextInitializer;
import org.springframework.context.support.GenericApplicationContext;
import org.springframework.core.env.ConfigurableEnvironment;
import org.springframework.core.env.MapPropertySource;
import org.springframework.kafka.test.EmbeddedKafkaKraftBroker;

/**
 * Starts a broker inside the application when no cluster is configured, before anything
 * else of the application starts, and ends it after everything else.
 */
class EmbeddedBroker implements ApplicationContextInitializer<GenericApplicationContext> {

	static final String SERVERS = "spring.kafka.bootstrap-servers";

	private static final String NAME = "embeddedBroker";

	@Override
	public void initialize(GenericApplicationContext context) {
		ConfigurableEnvironment environment = context.getEnvironment();
		if (environment.containsProperty(SERVERS)) {
			return;
		}
		EmbeddedKafkaKraftBroker broker = new EmbeddedKafkaKraftBroker(1, 1);
		// The broker sets a system property, and leaves it set when it has ended: not
		// this one.
		broker.brokerListProperty(NAME + ".servers");
		broker.brokerProperties(Map.of(
				// A missing topic has to stay missing.
				"auto.create.topics.enable", "false",
				// A lone application need not wait for others to join its group.
				"group.initial.rebalance.delay.ms", "100",
				// With group.protocol=consumer the broker sets the pace of the members.
				"group.consumer.min.heartbeat.interval.ms", "500", "group.consumer.heartbeat.interval.ms", "500",
				// The default would take 128 MB of the application's heap.
				"log.cleaner.dedupe.buffer.size", "2097152"));
		startQuietly(broker);
		environment.getPropertySources()
			.addFirst(new MapPropertySource(NAME, Map.of(SERVERS, broker.getBrokersAsString())));
		// Disposed of in reverse order: registered first, the broker outlives its
		// clients.
		DefaultListableBeanFactory beans = context.getDefaultListableBeanFactory();
		beans.registerSingleton(NAME, broker);
		beans.registerDisposableBean(NAME, broker::destroy);
	}

	// Formatting the broker's storage talks to the console about its internals.
	private static void startQuietly(EmbeddedKafkaKraftBroker broker) {
		PrintStream console = System.out;
		System.setOut(new PrintStream(OutputStream.nullOutputStream()));
		try {
			broker.afterPropertiesSet();
		}
		finally {
			System.setOut(console);
		}
	}

}
