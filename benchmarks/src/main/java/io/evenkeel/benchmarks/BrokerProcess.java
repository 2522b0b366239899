package io.evenkeel.benchmarks;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

import org.springframework.kafka.test.EmbeddedKafkaKraftBroker;

/**
 * A broker in a process of its own, so that its work does not count as a client's. It
 * ends with its standard input, and keeps little of what has been measured.
 *
 * @param process the process
 * @param servers its address
 */
record BrokerProcess(Process process, String servers) implements AutoCloseable {

	private static final String MARK = "servers=";

	static BrokerProcess start() throws IOException {
		Process process = new ProcessBuilder(List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString(),
				"-Xmx1g", "-Djava.io.tmpdir=" + System.getProperty("java.io.tmpdir"), "-cp",
				System.getProperty("java.class.path"), BrokerProcess.class.getName()))
			.redirectError(ProcessBuilder.Redirect.INHERIT)
			.start();
		BufferedReader output = new BufferedReader(
				new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
		for (String line = output.readLine(); line != null; line = output.readLine()) {
			if (line.startsWith(MARK)) {
				return new BrokerProcess(process, line.substring(MARK.length()));
			}
		}
		throw new IOException("The broker did not start");
	}

	/**
	 * The broker's own process.
	 * @param args none
	 * @throws IOException when its input breaks
	 */
	public static void main(String[] args) throws IOException {
		EmbeddedKafkaKraftBroker broker = new EmbeddedKafkaKraftBroker(1, 1);
		broker.brokerProperties(Map.of("log.retention.bytes", "100000000", "log.segment.bytes", "50000000",
				"log.retention.check.interval.ms", "3000", "log.segment.delete.delay.ms", "0"));
		broker.afterPropertiesSet();
		System.out.println(MARK + broker.getBrokersAsString());
		while (System.in.read() >= 0) {
			// until the other end is gone
		}
		broker.destroy();
		Runtime.getRuntime().halt(0);
	}

	@Override
	public void close() throws IOException {
		this.process.getOutputStream().close();
	}

}
