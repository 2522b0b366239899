package io.evenkeel.samples.plain;

import java.io.File;
import java.io.IOException;
import java.net.MalformedURLException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import org.springframework.kafka.core.DefaultKafkaConsumerFactory;
import org.springframework.kafka.test.EmbeddedKafkaBroker;
import org.springframework.kafka.test.context.EmbeddedKafka;
import org.springframework.kafka.test.utils.KafkaTestUtils;
import org.springframework.util.ClassUtils;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Runs an application that has the starter and nothing else, in a JVM that has nothing
 * else either.
 */
@EmbeddedKafka(partitions = 1, topics = { Greeter.NAMES, Greeter.GREETINGS })
class PlainApplicationIT {

	private static final Duration PATIENCE = Duration.ofSeconds(60);

	private static final List<String> OPTIONAL_CLASSES = List.of("io.micrometer.core.instrument.MeterRegistry",
			"org.springframework.boot.actuate.endpoint.annotation.Endpoint",
			"org.springframework.boot.health.contributor.HealthIndicator",
			"org.springframework.web.context.WebApplicationContext", "tools.jackson.databind.ObjectMapper");

	private final EmbeddedKafkaBroker broker;

	@TempDir
	private Path directory;

	PlainApplicationIT(EmbeddedKafkaBroker broker) {
		this.broker = broker;
	}

	@Test
	void optionalLibrariesAreAbsent() throws IOException {
		try (URLClassLoader application = new URLClassLoader(urls(classPath()), null)) {
			assertThat(OPTIONAL_CLASSES).noneMatch((name) -> ClassUtils.isPresent(name, application));
			assertThat(List.of(PlainApplication.class.getName(), "io.micrometer.observation.Observation"))
				.allMatch((name) -> ClassUtils.isPresent(name, application));
		}
	}

	@Test
	void handlesOneRecordAndSendsAnother() throws IOException {
		Path output = this.directory.resolve("output.txt");
		Process application = start(output);
		try (Producer<String, String> names = producer(); Consumer<String, String> greetings = consumer()) {
			this.broker.consumeFromAnEmbeddedTopic(greetings, Greeter.GREETINGS);
			names.send(new ProducerRecord<>(Greeter.NAMES, "Ada", "Ada"));
			ConsumerRecord<String, String> greeting = KafkaTestUtils.getSingleRecord(greetings, Greeter.GREETINGS,
					PATIENCE);
			assertThat(greeting.value()).isEqualTo("Hello, Ada");
			assertThat(application.isAlive()).isTrue();
		}
		catch (IllegalStateException ex) {
			throw new AssertionError("No greeting; the application said: " + Files.readString(output), ex);
		}
		finally {
			application.destroyForcibly();
		}
	}

	private Process start(Path output) throws IOException {
		String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
		return new ProcessBuilder(java, "-cp", String.join(File.pathSeparator, classPath()),
				PlainApplication.class.getName(),
				"--spring.kafka.bootstrap-servers=" + this.broker.getBrokersAsString())
			.redirectErrorStream(true)
			.redirectOutput(output.toFile())
			.start();
	}

	private static List<String> classPath() throws IOException {
		List<String> entries = new ArrayList<>();
		entries.add(System.getProperty("application-classes"));
		String dependencies = Files.readString(Path.of(System.getProperty("runtime-class-path")));
		entries.addAll(List.of(dependencies.strip().split(File.pathSeparator)));
		return entries;
	}

	private static URL[] urls(List<String> entries) throws MalformedURLException {
		List<URL> urls = new ArrayList<>();
		for (String entry : entries) {
			urls.add(new File(entry).toURI().toURL());
		}
		return urls.toArray(URL[]::new);
	}

	private Producer<String, String> producer() {
		Map<String, Object> properties = KafkaTestUtils.producerProps(this.broker);
		return new KafkaProducer<>(properties, new StringSerializer(), new StringSerializer());
	}

	private Consumer<String, String> consumer() {
		Map<String, Object> properties = KafkaTestUtils.consumerProps(this.broker, "test", true);
		return new DefaultKafkaConsumerFactory<>(properties, new StringDeserializer(), new StringDeserializer())
			.createConsumer();
	}

}
