package io.evenkeel.samples.devtools;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.StringSerializer;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import org.springframework.kafka.test.EmbeddedKafkaBroker;
import org.springframework.kafka.test.context.EmbeddedKafka;
import org.springframework.kafka.test.utils.KafkaTestUtils;
import org.springframework.util.FileSystemUtils;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Runs the application in a JVM of its own and touches its classes, as a compiler would.
 */
@EmbeddedKafka(partitions = 1, topics = { "notes", "copies" }, brokerProperties = "offsets.topic.num.partitions=1")
class DevtoolsRestartIT {

	private final EmbeddedKafkaBroker broker;

	@TempDir
	private Path directory;

	DevtoolsRestartIT(EmbeddedKafkaBroker broker) {
		this.broker = broker;
	}

	@Test
	void eachRestartGoesOnWhereTheLastEndedAndLeavesNothingBehind() throws IOException {
		Path classes = this.directory.resolve("classes");
		FileSystemUtils.copyRecursively(Path.of(System.getProperty("application-classes")), classes);
		Path output = this.directory.resolve("output.txt");
		Process application = start(classes, output);
		try (Producer<String, String> notes = producer()) {
			for (int restart = 0; restart <= 3; restart++) {
				if (restart > 0) {
					touch(classes);
				}
				int due = restart + 1;
				await(output, () -> reports(output, "others").size() == due);
				notes.send(new ProducerRecord<>("notes", "note-" + restart));
				await(output, () -> reports(output, "note").size() == due);
			}
			assertThat(application.isAlive()).isTrue();
			assertThat(reports(output, "note")).containsExactly("note-0", "note-1", "note-2", "note-3");
			assertThat(reports(output, "others")).containsOnly("[]").hasSize(4);
			assertThat(loaders(output)).hasSize(4);
			assertThat(Files.readString(output)).doesNotContain(" WARN ", " ERROR ");
		}
		finally {
			application.destroyForcibly();
		}
	}

	private static void await(Path output, java.util.concurrent.Callable<Boolean> condition) throws IOException {
		try {
			Awaitility.await().atMost(Duration.ofSeconds(60)).until(condition);
		}
		catch (org.awaitility.core.ConditionTimeoutException ex) {
			throw new AssertionError("The application said: " + Files.readString(output), ex);
		}
	}

	/** What a compiler does to a class that has changed. */
	private static void touch(Path classes) throws IOException {
		try (Stream<Path> files = Files.walk(classes)) {
			Path file = files.filter((candidate) -> candidate.endsWith("NoteListener.class")).findFirst().orElseThrow();
			Files.setLastModifiedTime(file, FileTime.from(Instant.now()));
		}
	}

	private static List<String> reports(Path output, String kind) throws IOException {
		return lines(output).filter((words) -> words[2].equals(kind)).map((words) -> words[3]).toList();
	}

	/** Of the runs that handled something. */
	private static List<String> loaders(Path output) throws IOException {
		return lines(output).filter((words) -> words[2].equals("note")).map((words) -> words[1]).distinct().toList();
	}

	private static Stream<String[]> lines(Path output) throws IOException {
		return Files.readAllLines(output)
			.stream()
			.filter((line) -> line.startsWith("REPORT "))
			.map((line) -> line.split(" ", 4));
	}

	private Process start(Path classes, Path output) throws IOException {
		String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
		String dependencies = Files.readString(Path.of(System.getProperty("runtime-class-path"))).strip();
		return new ProcessBuilder(java, "-cp", classes + File.pathSeparator + dependencies,
				DevtoolsApplication.class.getName(),
				"--spring.kafka.bootstrap-servers=" + this.broker.getBrokersAsString(),
				"--spring.devtools.restart.poll-interval=400ms", "--spring.devtools.restart.quiet-period=200ms")
			.redirectErrorStream(true)
			.redirectOutput(output.toFile())
			.start();
	}

	private Producer<String, String> producer() {
		Map<String, Object> properties = KafkaTestUtils.producerProps(this.broker);
		return new KafkaProducer<>(properties, new StringSerializer(), new StringSerializer());
	}

}
