package io.evenkeel.kafka.producer;

import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;

import org.apache.kafka.clients.producer.Callback;
import org.apache.kafka.clients.producer.MockProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.serialization.Serializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import org.springframework.kafka.support.SendResult;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

/**
 * A factory is reset, stopped, started, destroyed, and its producers grow old, while
 * others send. Its clients are played.
 */
class FactoryLifeTests {

	private static final ProducerSettings SETTINGS = ProducerSettings.DEFAULTS
		.withMetadataTimeout(Duration.ofSeconds(20));

	private final ProducerRegistry registry = new ProducerRegistry((producer) -> SendObserver.NONE);

	@ParameterizedTest
	@ValueSource(longs = { 1, 2, 3 })
	void nobodyNoticesThatTheFactoryIsResetOrRestarted(long seed) throws Exception {
		Random random = new Random(seed);
		PlayedFactory factory = new PlayedFactory(this.registry);
		factory.setProducerPerThread(seed == 3);
		EvenkeelKafkaTemplate<String, String> template = template(factory);
		AtomicBoolean over = new AtomicBoolean();
		Queue<CompletableFuture<SendResult<String, String>>> sends = new ConcurrentLinkedQueue<>();
		List<CompletableFuture<Void>> senders = IntStream.range(0, 3)
			.mapToObj((number) -> CompletableFuture.runAsync(() -> {
				while (!over.get()) {
					CompletableFuture<SendResult<String, String>> send = template.send("orders", "v");
					sends.add(send);
					// Not faster than the clients that are made anew.
					send.join();
				}
			}, (task) -> new Thread(task, "sender").start()))
			.toList();
		for (int i = 0; i < 60; i++) {
			switch (random.nextInt(4)) {
				case 0 -> factory.reset();
				case 1 -> {
					factory.stop();
					factory.start();
				}
				case 2 -> factory.setMaxAge(Duration.ofMillis(random.nextInt(1, 5)));
				default -> template.flush();
			}
		}
		over.set(true);
		for (CompletableFuture<Void> sender : senders) {
			sender.get(30, TimeUnit.SECONDS);
		}
		assertThat(sends).allSatisfy((send) -> assertThat(send).isCompleted());
		factory.destroy();
		await().atMost(Duration.ofSeconds(20)).untilAsserted(() -> {
			assertThat(factory.clients).hasSizeGreaterThan(5);
			assertThat(factory.clients).allMatch(MockProducer::closed);
			assertThat(this.registry.snapshots()).isEmpty();
		});
	}

	/** The stock factory opens again, too. */
	@Test
	void aDestroyedFactoryWorksAgainOnceItIsStarted() throws Exception {
		PlayedFactory factory = new PlayedFactory(this.registry);
		EvenkeelKafkaTemplate<String, String> template = template(factory);
		for (int i = 0; i < 5; i++) {
			factory.destroy();
			assertThat(ProducerFixture.failure(template.send("orders", "v")).getReason())
				.isEqualTo(FailureReason.CLOSED);
			factory.start();
			assertThat(ProducerFixture.offset(template.send("orders", "v"))).isNotNegative();
		}
		factory.destroy();
		assertThat(this.registry.snapshots()).isEmpty();
	}

	@Test
	void aSenderIsNotHeldByTheEndOfAProducerThatIsTooOld() throws Exception {
		CountDownLatch mayClose = new CountDownLatch(1);
		PlayedFactory factory = new PlayedFactory(this.registry) {

			@Override
			MockProducer<String, String> play() {
				return new MockProducer<>(MockClients.cluster(), true, null, new StringSerializer(),
						new StringSerializer()) {

					@Override
					public void close(Duration timeout) {
						awaitQuietly(mayClose);
						super.close(timeout);
					}

				};
			}

		};
		factory.setMaxAge(Duration.ofMillis(1));
		EvenkeelKafkaTemplate<String, String> template = template(factory);
		ProducerFixture.offset(template.send("orders", "v"));
		await().pollInterval(Duration.ofMillis(2)).until(() -> {
			ProducerFixture.offset(template.send("orders", "v"));
			return factory.clients.size() > 1;
		});
		assertThat(factory.clients).noneMatch(MockProducer::closed);
		mayClose.countDown();
		await().atMost(Duration.ofSeconds(20)).until(() -> factory.clients.get(0).closed());
		factory.destroy();
	}

	@Test
	void aProducerIsClosedWhenWhoeverIsInACallOfItHasLeft() throws Exception {
		CountDownLatch inside = new CountDownLatch(1);
		CountDownLatch mayGo = new CountDownLatch(1);
		PlayedFactory factory = new PlayedFactory(this.registry) {

			@Override
			MockProducer<String, String> play() {
				return new MockProducer<>(MockClients.cluster(), true, null, new StringSerializer(),
						new StringSerializer()) {

					@Override
					public Future<RecordMetadata> send(ProducerRecord<String, String> record, Callback callback) {
						if (record.value().equals("slow")) {
							inside.countDown();
							awaitQuietly(mayGo);
						}
						return super.send(record, callback);
					}

				};
			}

		};
		EvenkeelKafkaTemplate<String, String> template = template(factory);
		ProducerFixture.offset(template.send("orders", "v"));
		CompletableFuture<CompletableFuture<?>> slow = CompletableFuture
			.supplyAsync(() -> template.send("orders", "slow"), (task) -> new Thread(task).start());
		inside.await();
		CompletableFuture<Void> reset = CompletableFuture.runAsync(factory::reset, (task) -> new Thread(task).start());
		await().until(() -> {
			ProducerFixture.offset(template.send("orders", "v"));
			return factory.clients.size() > 1;
		});
		assertThat(factory.clients.get(0).closed()).isFalse();
		mayGo.countDown();
		assertThat(slow.get(20, TimeUnit.SECONDS).get(20, TimeUnit.SECONDS)).isNotNull();
		reset.get(20, TimeUnit.SECONDS);
		await().atMost(Duration.ofSeconds(20)).until(() -> factory.clients.get(0).closed());
		factory.destroy();
	}

	@Test
	void noTwoProducersShareAnIdAndNoNumberIsLeftOut() throws Exception {
		PlayedFactory one = new PlayedFactory(this.registry);
		PlayedFactory two = new PlayedFactory(this.registry);
		ProducerFixture.offset(template(one).send("orders", "v"));
		ProducerFixture.offset(template(two).send("orders", "v"));
		one.reset();
		ProducerFixture.offset(template(one).send("orders", "v"));
		PlayedFactory named = new PlayedFactory(this.registry, Map.of(ProducerConfig.CLIENT_ID_CONFIG, "mine"));
		ProducerFixture.offset(template(named).send("orders", "v"));
		assertThat(one.ids).containsExactly("evenkeel-producer-1", "evenkeel-producer-3");
		assertThat(two.ids).containsExactly("evenkeel-producer-2");
		assertThat(named.ids).containsExactly("mine-1");
		List.of(one, two, named).forEach(PlayedFactory::destroy);
	}

	@Test
	void nothingIsLeftOfAThousandLives() throws Exception {
		AtomicInteger bound = new AtomicInteger();
		ProducerRegistry counted = new ProducerRegistry((producer) -> {
			bound.incrementAndGet();
			return new SendObserver() {

				@Override
				public void closed() {
					bound.decrementAndGet();
				}

			};
		});
		PlayedFactory factory = new PlayedFactory(counted);
		EvenkeelKafkaTemplate<String, String> template = template(factory);
		for (int i = 0; i < 1000; i++) {
			ProducerFixture.offset(template.send("orders", "v"));
			factory.reset();
		}
		assertThat(bound).hasValue(0);
		assertThat(counted.snapshots()).isEmpty();
		assertThat(factory.clients).hasSize(1000).allMatch(MockProducer::closed);
		await().atMost(Duration.ofSeconds(20))
			.untilAsserted(() -> assertThat(Thread.getAllStackTraces().keySet()).extracting(Thread::getName)
				.noneMatch((name) -> name.matches("evenkeel-.*-\\d{3,}")));
		factory.destroy();
	}

	private static EvenkeelKafkaTemplate<String, String> template(PlayedFactory factory) {
		EvenkeelKafkaTemplate<String, String> template = new EvenkeelKafkaTemplate<>(factory);
		template.setProducerListener(null);
		return template;
	}

	private static void awaitQuietly(CountDownLatch latch) {
		try {
			latch.await();
		}
		catch (InterruptedException ex) {
			Thread.currentThread().interrupt();
		}
	}

	/** Its clients answer by themselves and know the topic {@code orders}. */
	private static class PlayedFactory extends EvenkeelProducerFactory<String, String> {

		final List<MockProducer<String, String>> clients = new java.util.concurrent.CopyOnWriteArrayList<>();

		final List<String> ids = new java.util.concurrent.CopyOnWriteArrayList<>();

		PlayedFactory(ProducerRegistry registry) {
			this(registry, Map.of());
		}

		PlayedFactory(ProducerRegistry registry, Map<String, Object> configs) {
			super(configs(configs), SETTINGS, registry);
		}

		private static Map<String, Object> configs(Map<String, Object> overrides) {
			Map<String, Object> configs = new HashMap<>();
			configs.put(ProducerConfig.BOOTSTRAP_SERVERS_CONFIG, "localhost:1");
			configs.put(ProducerConfig.KEY_SERIALIZER_CLASS_CONFIG, StringSerializer.class);
			configs.put(ProducerConfig.VALUE_SERIALIZER_CLASS_CONFIG, StringSerializer.class);
			configs.putAll(overrides);
			return configs;
		}

		MockProducer<String, String> play() {
			return new MockProducer<>(MockClients.cluster(), true, null, new StringSerializer(),
					new StringSerializer());
		}

		@Override
		Producer<String, String> newClient(Map<String, Object> configs, Serializer<String> key,
				Serializer<String> value) {
			MockProducer<String, String> client = play();
			this.ids.add((String) configs.get(ProducerConfig.CLIENT_ID_CONFIG));
			this.clients.add(client);
			return client;
		}

	}

}
