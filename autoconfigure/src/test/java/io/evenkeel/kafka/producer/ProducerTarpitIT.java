package io.evenkeel.kafka.producer;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

import org.springframework.kafka.support.SendResult;

import static io.evenkeel.kafka.producer.ProducerFixture.failure;
import static io.evenkeel.kafka.producer.ProducerFixture.since;
import static org.assertj.core.api.Assertions.assertThat;

/**
 * Addresses where something listens that never answers: connections that open and then
 * stay silent, and connections that do not even open.
 */
@Tag("timing")
class ProducerTarpitIT {

	private static final Duration METADATA = Duration.ofSeconds(3);

	private static final Duration SLACK = Duration.ofMillis(500);

	private final List<Socket> sockets = new ArrayList<>();

	private final ProducerFixture fixture = new ProducerFixture();

	@AfterEach
	void close() throws IOException {
		this.fixture.close();
		for (Socket socket : this.sockets) {
			socket.close();
		}
	}

	@Test
	void connectionsThatStaySilentHoldNobody() throws Exception {
		try (ServerSocket server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress())) {
			Thread acceptor = new Thread(() -> acceptForEver(server));
			acceptor.setDaemon(true);
			acceptor.start();
			assertThatAllFailInTime("localhost:" + server.getLocalPort());
			assertThat(this.sockets).isNotEmpty();
		}
	}

	@Test
	void connectionsThatDoNotOpenHoldNobody() throws Exception {
		try (ServerSocket server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
			fill(server);
			assertThatAllFailInTime("localhost:" + server.getLocalPort());
		}
	}

	/**
	 * The client waits for an idempotent producer's id on its I/O thread, for as long as
	 * a request may take, here thirty seconds, and its close waits for that thread.
	 */
	@Test
	void closingIsBoundedToo() throws Exception {
		try (ServerSocket server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress())) {
			Thread acceptor = new Thread(() -> acceptForEver(server));
			acceptor.setDaemon(true);
			acceptor.start();
			ProducerSettings settings = ProducerSettings.DEFAULTS;
			this.fixture.settings(new ProducerSettings(settings.defaults(), settings.topics(),
					settings.bufferMaxRecords(), settings.bufferMaxBytes(), settings.bufferWhenFull(),
					settings.deliveryTimeout(), Duration.ofSeconds(1)));
			EvenkeelKafkaTemplate<String, String> template = this.fixture.template("localhost:" + server.getLocalPort(),
					Duration.ofMillis(500));
			assertThat(failure(template.send("t", "v")).getReason()).isEqualTo(FailureReason.BROKERS_UNREACHABLE);
			long start = System.nanoTime();
			this.fixture.close();
			assertThat(since(start)).isLessThan(Duration.ofSeconds(3));
		}
	}

	private void assertThatAllFailInTime(String servers) throws Exception {
		warmUp(servers);
		EvenkeelKafkaTemplate<String, String> template = this.fixture.template(servers, METADATA,
				Map.of("request.timeout.ms", 1000, "delivery.timeout.ms", 2000));
		Map<Integer, Duration> ended = new ConcurrentHashMap<>();
		List<CompletableFuture<SendResult<String, String>>> sends = new ArrayList<>();
		List<Long> held = new ArrayList<>();
		// The window of fail-fast opens at the timeout; here all wait before it.
		long first = System.nanoTime();
		while (sends.size() < 300 && since(first).compareTo(METADATA.minusMillis(500)) < 0) {
			int number = sends.size();
			long start = System.nanoTime();
			HeldTime time = new HeldTime();
			CompletableFuture<SendResult<String, String>> send = template.send("t" + (number % 3), "k", "v");
			held.add(time.nanos());
			sends.add(send);
			send.whenComplete((result, ex) -> ended.put(number, since(start)));
			LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(4));
		}
		for (CompletableFuture<SendResult<String, String>> send : sends) {
			SendFailedException failure = failure(send);
			assertThat(failure.getReason()).isEqualTo(FailureReason.BROKERS_UNREACHABLE);
			assertThat(failure.getPhase()).isEqualTo(FailurePhase.METADATA);
			assertThat(failure.isPossiblySent()).isFalse();
			assertThat(failure).hasMessageContaining("no answer from [" + servers + "]");
		}
		assertThat(ended.values()).allSatisfy((time) -> assertThat(time).isLessThan(METADATA.plus(SLACK)));
		held.remove(0);
		assertThat(held).hasSizeGreaterThan(50);
		assertThat(Duration.ofNanos(HeldTime.p99(held))).isLessThan(Duration.ofMillis(5));
	}

	/** Loads and compiles what the measured sends use. */
	private void warmUp(String servers) throws Exception {
		EvenkeelKafkaTemplate<String, String> template = this.fixture.template(servers, Duration.ofMillis(300),
				Map.of("request.timeout.ms", 1000, "delivery.timeout.ms", 2000));
		List<CompletableFuture<SendResult<String, String>>> sends = new ArrayList<>();
		for (int i = 0; i < 300; i++) {
			sends.add(template.send("warm", "k", "v"));
		}
		for (CompletableFuture<SendResult<String, String>> send : sends) {
			failure(send);
		}
	}

	private void acceptForEver(ServerSocket server) {
		try {
			while (true) {
				this.sockets.add(server.accept());
			}
		}
		catch (IOException ex) {
			// closed: the test is over
		}
	}

	/** Open connections until the next one hangs. */
	private void fill(ServerSocket server) throws IOException {
		InetSocketAddress address = new InetSocketAddress(server.getInetAddress(), server.getLocalPort());
		for (int i = 0; i < 20; i++) {
			Socket socket = new Socket();
			this.sockets.add(socket);
			try {
				socket.connect(address, 300);
			}
			catch (SocketTimeoutException ex) {
				return;
			}
		}
		throw new IllegalStateException("The backlog has no end");
	}

}
