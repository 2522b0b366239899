package io.evenkeel.kafka.broker;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.errors.TopicExistsException;

import static org.awaitility.Awaitility.await;

/**
 * A broker in a child process, so that it can be killed, frozen and thawed. It keeps its
 * ports and its data across restarts.
 */
public final class ProcessBroker implements AutoCloseable {

	private static final Duration START = Duration.ofSeconds(60);

	private final int nodeId;

	private final Path directory;

	private final Map<String, Integer> ports;

	private final Properties config;

	private final String clusterId;

	private Process process;

	private ProcessBroker(int nodeId, Path directory, Map<String, Integer> ports, Properties config, String clusterId) {
		this.nodeId = nodeId;
		this.directory = directory;
		this.ports = ports;
		this.config = config;
		this.clusterId = clusterId;
	}

	/**
	 * A single broker with a plaintext listener.
	 * @param overrides its properties beside the usual ones; listeners beside
	 * {@code PLAINTEXT} and {@code CONTROLLER} are named by the keys of
	 * {@code listener.<NAME>}, whose value is the security protocol
	 * @return the broker, not started yet
	 */
	public static ProcessBroker single(Map<String, String> overrides) {
		return cluster(1, overrides).get(0);
	}

	/**
	 * Brokers that form a cluster, each a controller too.
	 * @param size how many
	 * @param overrides as for a single one
	 * @return the brokers, not started yet
	 */
	public static List<ProcessBroker> cluster(int size, Map<String, String> overrides) {
		String clusterId = Uuid.randomUuid().toString();
		Map<String, String> listeners = new LinkedHashMap<>(
				Map.of("PLAINTEXT", "PLAINTEXT", "CONTROLLER", "PLAINTEXT"));
		overrides.forEach((key, value) -> {
			if (key.startsWith("listener.") && key.indexOf('.', 9) < 0) {
				listeners.put(key.substring(9), value);
			}
		});
		List<Map<String, Integer>> ports = IntStream.range(0, size).mapToObj((i) -> freePorts(listeners)).toList();
		String voters = IntStream.range(0, size)
			.mapToObj((i) -> (i + 1) + "@localhost:" + ports.get(i).get("CONTROLLER"))
			.collect(Collectors.joining(","));
		return IntStream.range(0, size)
			.mapToObj((i) -> create(i + 1, size, ports.get(i), listeners, voters, clusterId, overrides))
			.toList();
	}

	private static ProcessBroker create(int nodeId, int size, Map<String, Integer> ports, Map<String, String> listeners,
			String voters, String clusterId, Map<String, String> overrides) {
		try {
			Path directory = Files.createTempDirectory("broker-" + nodeId + "-");
			Properties config = new Properties();
			config.put("process.roles", "broker,controller");
			config.put("node.id", String.valueOf(nodeId));
			config.put("controller.quorum.voters", voters);
			config.put("controller.listener.names", "CONTROLLER");
			config.put("inter.broker.listener.name", "PLAINTEXT");
			config.put("listeners", endpoints(ports, true));
			config.put("advertised.listeners", endpoints(ports, false));
			config.put("listener.security.protocol.map",
					listeners.entrySet()
						.stream()
						.map((entry) -> entry.getKey() + ":" + entry.getValue())
						.collect(Collectors.joining(",")));
			config.put("log.dirs", directory.resolve("data").toString());
			String replicas = String.valueOf(Math.min(size, 3));
			config.put("offsets.topic.replication.factor", replicas);
			config.put("offsets.topic.num.partitions", "4");
			config.put("transaction.state.log.replication.factor", replicas);
			config.put("transaction.state.log.num.partitions", "4");
			config.put("transaction.state.log.min.isr", "1");
			config.put("group.initial.rebalance.delay.ms", "0");
			config.put("auto.create.topics.enable", "false");
			config.put("log.cleaner.dedupe.buffer.size", "2097152");
			config.put("num.network.threads", "2");
			config.put("num.io.threads", "2");
			config.put("broker.session.timeout.ms", "3000");
			config.put("broker.heartbeat.interval.ms", "300");
			overrides.forEach((key, value) -> {
				if (!(key.startsWith("listener.") && key.indexOf('.', 9) < 0)) {
					config.put(key, value);
				}
			});
			return new ProcessBroker(nodeId, directory, ports, config, clusterId);
		}
		catch (IOException ex) {
			throw new UncheckedIOException(ex);
		}
	}

	private static String endpoints(Map<String, Integer> ports, boolean controller) {
		return ports.entrySet()
			.stream()
			.filter((entry) -> controller || !entry.getKey().equals("CONTROLLER"))
			.map((entry) -> entry.getKey() + "://localhost:" + entry.getValue())
			.collect(Collectors.joining(","));
	}

	private static Map<String, Integer> freePorts(Map<String, String> listeners) {
		Map<String, Integer> result = new LinkedHashMap<>();
		Map<String, ServerSocket> sockets = new HashMap<>();
		try {
			for (String name : listeners.keySet()) {
				ServerSocket socket = new ServerSocket(0);
				sockets.put(name, socket);
				result.put(name, socket.getLocalPort());
			}
			for (ServerSocket socket : sockets.values()) {
				socket.close();
			}
		}
		catch (IOException ex) {
			throw new UncheckedIOException(ex);
		}
		return result;
	}

	/** Start the process, and wait until it listens. */
	public ProcessBroker start() {
		launch();
		awaitListening();
		return this;
	}

	/** Start the process without waiting. */
	public void launch() {
		try {
			Path file = this.directory.resolve("server.properties");
			try (var out = Files.newOutputStream(file)) {
				this.config.store(out, null);
			}
			String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
			String classPath = System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"));
			ProcessBuilder builder = new ProcessBuilder(java, "-Xmx256m", "-Xms64m", "-XX:+UseSerialGC",
					"-XX:TieredStopAtLevel=1", "-cp", classPath, ProcessBrokerMain.class.getName(), file.toString(),
					this.directory.resolve("data").toString(), this.clusterId);
			builder.redirectErrorStream(true)
				.redirectOutput(ProcessBuilder.Redirect.appendTo(this.directory.resolve("log.txt").toFile()));
			this.process = builder.start();
		}
		catch (IOException ex) {
			throw new UncheckedIOException(ex);
		}
	}

	/** Wait until the plaintext listener accepts connections. */
	public void awaitListening() {
		await().atMost(START).pollInterval(Duration.ofMillis(50)).until(() -> {
			if (!this.process.isAlive()) {
				throw new IllegalStateException("The broker ended, see " + this.directory.resolve("log.txt"));
			}
			try (Socket socket = new Socket()) {
				socket.connect(new InetSocketAddress("localhost", this.ports.get("PLAINTEXT")), 500);
				return true;
			}
			catch (IOException ex) {
				return false;
			}
		});
	}

	public int nodeId() {
		return this.nodeId;
	}

	public String bootstrapServers() {
		return bootstrapServers("PLAINTEXT");
	}

	public String bootstrapServers(String listener) {
		return "localhost:" + this.ports.get(listener);
	}

	/** SIGKILL. */
	public void kill() {
		this.process.destroyForcibly();
		try {
			this.process.waitFor(20, TimeUnit.SECONDS);
		}
		catch (InterruptedException ex) {
			Thread.currentThread().interrupt();
		}
	}

	/** SIGSTOP: the process keeps its connections and answers nothing. */
	public void freeze() {
		signal("-STOP");
		// The signal is only queued when "kill" returns: a broker may answer a little
		// more.
		Path state = Path.of("/proc", String.valueOf(this.process.pid()), "stat");
		if (Files.exists(state)) {
			await().atMost(Duration.ofSeconds(10))
				.pollInterval(Duration.ofMillis(5))
				.until(() -> Files.readString(state).contains(") T "));
		}
	}

	/** SIGCONT. */
	public void thaw() {
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

	public Admin admin() {
		return Admin.create(Map.of("bootstrap.servers", bootstrapServers()));
	}

	/** Create a topic unless it exists. */
	public void createTopic(String name, int partitions, int replicas) {
		try (Admin admin = admin()) {
			admin.createTopics(List.of(new NewTopic(name, partitions, (short) replicas)))
				.all()
				.get(30, TimeUnit.SECONDS);
		}
		catch (Exception ex) {
			if (!(ex.getCause() instanceof TopicExistsException)) {
				throw new IllegalStateException(ex);
			}
		}
	}

	@Override
	public void close() {
		if (this.process != null) {
			kill();
		}
	}

}
