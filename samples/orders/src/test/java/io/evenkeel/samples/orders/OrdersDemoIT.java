package io.evenkeel.samples.orders;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

import org.apache.kafka.clients.admin.Admin;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import org.springframework.kafka.test.EmbeddedKafkaKraftBroker;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Runs the application as its users do, in a JVM of its own, to the end of its story.
 */
class OrdersDemoIT {

	@TempDir
	private Path directory;

	@Test
	void storyEndsWithNothingLostDuplicatedOrOutOfOrder() throws Exception {
		Run run = run("--demo.orders=1500");
		assertThat(run.exitCode()).as(run.output()).isZero();
		assertThat(run.output()).contains("second member takes over", "second member hands over",
				"An order goes to 'orders-archive'", "It failed: ", "TOPIC_NOT_FOUND",
				"other orders were acknowledged");
		assertThat(run.count("sent")).isGreaterThanOrEqualTo(1500);
		assertThat(run.count("handled")).isEqualTo(run.count("sent"));
		assertThat(run.count("lost")).isZero();
		assertThat(run.count("duplicates")).isZero();
		assertThat(run.count("order violations")).isZero();
		// The stock template holds its caller for the whole 3 s; the first send of a JVM
		// loads classes.
		assertThat(run.count("longest caller block")).isLessThan(2_000);
		assertThat(run.count("rebalances")).isGreaterThanOrEqualTo(3);
	}

	@Test
	void orderViolationIsCountedAndEndsWithAnotherStatus() throws Exception {
		// The copy for the missing topic, number 0, now comes after a customer's later
		// events.
		Run run = run("--demo.orders=1500", "--demo.missing-topic=orders");
		assertThat(run.exitCode()).as(run.output()).isOne();
		assertThat(run.output()).contains("It was acknowledged: the topic exists");
		assertThat(run.count("order violations")).isOne();
		assertThat(run.count("lost")).isZero();
	}

	@Test
	void clusterOfTheUserKeepsItsTopicsAndEachRunCountsItsOwnOrders() throws Exception {
		EmbeddedKafkaKraftBroker cluster = new EmbeddedKafkaKraftBroker(1, 1);
		cluster.brokerListProperty("cluster.servers");
		cluster.brokerProperty("auto.create.topics.enable", "true");
		cluster.afterPropertiesSet();
		try {
			String servers = "--spring.kafka.bootstrap-servers=" + cluster.getBrokersAsString();
			for (String protocol : List.of("classic", "consumer")) {
				Run run = run("--demo.orders=1500", servers,
						"--spring.kafka.consumer.properties.group.protocol=" + protocol);
				assertThat(run.exitCode()).as(run.output()).isZero();
				assertThat(run.output()).contains("This cluster creates missing topics by itself");
				assertThat(run.count("sent")).isGreaterThanOrEqualTo(1500);
				assertThat(run.count("handled")).isEqualTo(run.count("sent"));
				assertThat(run.count("rebalances")).isGreaterThanOrEqualTo(3);
			}
			assertThat(topicsOf(cluster)).contains("orders").doesNotContain("orders-archive");
		}
		finally {
			cluster.destroy();
		}
	}

	private static Set<String> topicsOf(EmbeddedKafkaKraftBroker cluster) throws Exception {
		try (Admin admin = Admin.create(Map.of("bootstrap.servers", cluster.getBrokersAsString()))) {
			return admin.listTopics().names().get(30, TimeUnit.SECONDS);
		}
	}

	private Run run(String... arguments) throws IOException, InterruptedException {
		Path output = this.directory.resolve("output.txt");
		List<String> command = new ArrayList<>(
				List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-cp",
						System.getProperty("java.class.path"), OrdersApplication.class.getName(), "--demo.exit=true",
						"--server.port=0", "--demo.orders-per-chapter=200"));
		command.addAll(Arrays.asList(arguments));
		Process process = new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(output.toFile()).start();
		try {
			boolean ended = process.waitFor(3, TimeUnit.MINUTES);
			String text = Files.readString(output);
			assertThat(ended).as("ended; its output so far: %s", text).isTrue();
			return new Run(process.exitValue(), text);
		}
		finally {
			process.destroyForcibly();
		}
	}

	private record Run(int exitCode, String output) {

		long count(String name) {
			Matcher line = Pattern.compile("(?m)^" + name + ": (\\d+)( ms)?$").matcher(this.output);
			assertThat(line.find()).as("'%s' in %s", name, this.output).isTrue();
			return Long.parseLong(line.group(1));
		}

	}

}
