package io.evenkeel.kafka.container;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

import io.evenkeel.kafka.broker.EmbeddedBroker;
import org.assertj.core.api.Assertions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;

import org.springframework.context.annotation.Configuration;
import org.springframework.kafka.annotation.KafkaListener;

/**
 * Records that always fail, among many that do not: they cost their own key only, and
 * each ends in the dead-letter topic exactly once. One partition, so that nothing but the
 * keys keeps the records apart.
 */
class FailingRecordsIT {

	private static final int ATTEMPTS = 3;

	private static final int CONCURRENCY = 16;

	@Test
	void failingRecordsHoldUpNobodyElse() {
		Run run = Run.of(2_000, 100, 0);
		List<String> calls = List.copyOf(run.handler.calls);
		// More records wait for their second call than there are slots, and all others
		// are done before the first of them has its last.
		int lastHealthy = IntStream.range(0, calls.size())
			.filter((i) -> calls.get(i).startsWith("v"))
			.max()
			.orElseThrow();
		Assertions.assertThat(lastHealthy).isLessThan(indexOfAttempt(calls, ATTEMPTS));
		Assertions.assertThat(calls.subList(0, indexOfAttempt(calls, 2)).stream().filter((v) -> v.startsWith("fail")))
			.hasSizeGreaterThan(CONCURRENCY);
	}

	private static int indexOfAttempt(List<String> calls, int attempt) {
		Map<String, Integer> seen = new java.util.HashMap<>();
		for (int i = 0; i < calls.size(); i++) {
			if (seen.merge(calls.get(i), 1, Integer::sum) == attempt) {
				return i;
			}
		}
		throw new AssertionError("no call number " + attempt);
	}

	/**
	 * The figure: the time until 19,000 records are done, with 1,000 failing ones among
	 * them and without.
	 */
	@Test
	@EnabledIfSystemProperty(named = "evenkeel.guarantee", matches = "long")
	void oneThousandFailingRecordsAmongTwentyThousand() {
		for (int millis : new int[] { 1, 5 }) {
			Run.of(20_000, 1_000, millis);
			double[] ratios = new double[5];
			for (int i = 0; i < ratios.length; i++) {
				Run without = Run.of(19_000, 0, millis);
				Run with = Run.of(20_000, 1_000, millis);
				ratios[i] = with.healthyNanos() / (double) without.healthyNanos();
				System.out.printf("handlers of %d ms: without %d ms, with %d ms, ratio %.3f%n", millis,
						TimeUnit.NANOSECONDS.toMillis(without.healthyNanos()),
						TimeUnit.NANOSECONDS.toMillis(with.healthyNanos()), ratios[i]);
			}
			Arrays.sort(ratios);
			System.out.printf("handlers of %d ms: median ratio %.3f%n", millis, ratios[ratios.length / 2]);
		}
	}

	/** One topic, handled to its end. */
	private record Run(Handler handler) {

		/**
		 * Every twentieth record fails, so that they are spread evenly.
		 */
		static Run of(int records, int failing, int millis) {
			String topic = EmbeddedBroker.topic("failing", 1);
			List<Map.Entry<String, String>> content = new ArrayList<>();
			for (int i = 0; i < records; i++) {
				boolean fails = failing > 0 && i % (records / failing) == 0;
				content.add(Map.entry("k" + i, (fails ? "fail-always-" : "v") + i));
			}
			Topics.sendAll(topic, content);
			Handler handler = new Handler(records - failing, millis);
			try (App app = App.of(Listener.class)
				.bean(handler)
				.with("evenkeel.kafka.consumer.ordering=key", "evenkeel.kafka.consumer.concurrency=" + CONCURRENCY,
						"evenkeel.kafka.consumer.retry.initial-interval=1s",
						"evenkeel.kafka.consumer.retry.max-attempts=" + ATTEMPTS)
				.start(topic)) {
				handler.await();
				Topics.awaitCommitted(topic, topic, 0, records);
			}
			Map<String, Long> calls = handler.calls.stream()
				.collect(Collectors.groupingBy(Function.identity(), Collectors.counting()));
			Assertions.assertThat(calls).hasSize(records);
			Assertions.assertThat(calls)
				.allSatisfy((value, count) -> Assertions.assertThat(count)
					.as(value)
					.isEqualTo(value.startsWith("v") ? 1 : ATTEMPTS));
			if (failing > 0) {
				Assertions.assertThat(Topics.read(topic + "-dlt", failing))
					.extracting((record) -> Topics.text(record.value()))
					.containsExactlyInAnyOrderElementsOf(
							calls.keySet().stream().filter((value) -> value.startsWith("fail")).toList());
			}
			return new Run(handler);
		}

		long healthyNanos() {
			return this.handler.end - this.handler.begin;
		}

	}

	/** Takes the time from the first call to the end of the last healthy record. */
	static final class Handler {

		final Queue<String> calls = new ConcurrentLinkedQueue<>();

		private final CountDownLatch healthy;

		private final int millis;

		private volatile long begin;

		private volatile long end;

		Handler(int healthy, int millis) {
			this.healthy = new CountDownLatch(healthy);
			this.millis = millis;
		}

		void handle(String value) {
			if (this.begin == 0) {
				this.begin = System.nanoTime();
			}
			this.calls.add(value);
			FailuresIT.fail(value, 0);
			try {
				Thread.sleep(this.millis);
			}
			catch (InterruptedException ex) {
				throw new IllegalStateException(ex);
			}
			this.healthy.countDown();
			if (this.healthy.getCount() == 0) {
				this.end = System.nanoTime();
			}
		}

		void await() {
			try {
				Assertions.assertThat(this.healthy.await(60, TimeUnit.SECONDS)).isTrue();
			}
			catch (InterruptedException ex) {
				throw new IllegalStateException(ex);
			}
		}

	}

	@Configuration(proxyBeanMethods = false)
	static class Listener {

		private final Handler handler;

		Listener(Handler handler) {
			this.handler = handler;
		}

		@KafkaListener(id = "listener", idIsGroup = false, topics = "${test.topic}")
		void listen(String value) {
			this.handler.handle(value);
		}

	}

}
