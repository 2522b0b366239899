package io.evenkeel.kafka.guarantee;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * A member in a process of its own, which can be killed and frozen.
 */
final class MemberProcess implements AutoCloseable {

	private final Process process;

	private final Path output;

	private MemberProcess(Process process, Path output) {
		this.process = process;
		this.output = output;
	}

	static MemberProcess start(List<String> arguments, int handlerMillis) {
		try {
			Path output = Files.createTempFile("member-", ".log");
			List<String> command = new ArrayList<>(
					List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-Xmx256m",
							"-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Dtest.millis=" + handlerMillis, "-cp",
							System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")),
							MemberProcessMain.class.getName()));
			command.addAll(arguments);
			Process process = new ProcessBuilder(command).redirectErrorStream(true)
				.redirectOutput(output.toFile())
				.start();
			return new MemberProcess(process, output);
		}
		catch (IOException ex) {
			throw new UncheckedIOException(ex);
		}
	}

	/** The records whose handler has returned, with the time of it in milliseconds. */
	Map<String, Long> ended() {
		return records("::END ");
	}

	/** The records whose handler was called. */
	Map<String, Long> begun() {
		return records("::BEGIN ");
	}

	private Map<String, Long> records(String prefix) {
		Map<String, Long> records = new LinkedHashMap<>();
		for (String line : lines(prefix)) {
			String[] words = line.split(" ");
			records.put(words[1], Long.parseLong(words[2]));
		}
		return records;
	}

	/** How often it said so. */
	int said(String what) {
		return lines("::" + what).size();
	}

	private List<String> lines(String prefix) {
		try (var lines = Files.lines(this.output)) {
			// The last line may be cut off.
			return lines.filter((line) -> line.startsWith(prefix) && line.matches(".* \\d{13}")).toList();
		}
		catch (IOException ex) {
			throw new UncheckedIOException(ex);
		}
	}

	boolean isAlive() {
		return this.process.isAlive();
	}

	/** SIGKILL. */
	void kill() {
		this.process.destroyForcibly();
		try {
			this.process.waitFor(20, TimeUnit.SECONDS);
		}
		catch (InterruptedException ex) {
			Thread.currentThread().interrupt();
		}
	}

	/** SIGTERM: what a deployment sends. Waits for the end. */
	void terminate() {
		this.process.destroy();
		try {
			if (!this.process.waitFor(30, TimeUnit.SECONDS)) {
				throw new IllegalStateException("The member does not end");
			}
		}
		catch (InterruptedException ex) {
			Thread.currentThread().interrupt();
		}
	}

	/** SIGSTOP. */
	void freeze() {
		signal("-STOP");
	}

	/** SIGCONT. */
	void thaw() {
		signal("-CONT");
	}

	private void signal(String signal) {
		try {
			new ProcessBuilder("kill", signal, String.valueOf(this.process.pid())).start().waitFor(5, TimeUnit.SECONDS);
		}
		catch (IOException ex) {
			throw new UncheckedIOException(ex);
		}
		catch (InterruptedException ex) {
			Thread.currentThread().interrupt();
		}
	}

	@Override
	public void close() {
		if (isAlive()) {
			kill();
		}
		try {
			Files.deleteIfExists(this.output);
		}
		catch (IOException ex) {
			throw new UncheckedIOException(ex);
		}
	}

	/** What it wrote, for people. */
	String output() {
		try {
			return Files.readString(this.output);
		}
		catch (IOException ex) {
			throw new UncheckedIOException(ex);
		}
	}

}
