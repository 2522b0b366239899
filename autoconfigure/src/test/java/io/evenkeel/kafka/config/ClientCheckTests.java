package io.evenkeel.kafka.config;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.config.ConfigException;
import org.apache.kafka.common.serialization.StringSerializer;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

/**
 * The check says of a configuration what the client says of it.
 */
class ClientCheckTests {

	private static final String NONE = "";

	@Test
	void idempotenceAndTransactionsAreJudgedAsByTheClient() {
		List<String> wrong = new ArrayList<>();
		for (String acks : List.of(NONE, "0", "1", "all", "-1", "foo")) {
			for (String idempotence : List.of(NONE, "true", "false")) {
				for (String retries : List.of(NONE, "0", "3")) {
					for (String inFlight : List.of(NONE, "5", "6")) {
						for (String transactions : List.of(NONE, "tx")) {
							Map<String, Object> config = config(acks, idempotence, retries, inFlight, transactions);
							if (isRefusedByUs(config) != isRefusedByTheClient(config)) {
								wrong.add(config + " refused by the client: " + isRefusedByTheClient(config));
							}
						}
					}
				}
			}
		}
		assertThat(wrong).isEmpty();
	}

	@Test
	void theCheckConsumesNoClientId() {
		Map<String, Object> config = Map.of("bootstrap.servers", "localhost:1", "group.id", "g");
		ClientCheck.consumer(config, "a test");
		assertThat(config).doesNotContainKey("client.id");
	}

	@Test
	void aNameThatCannotBeResolvedNowMayBeLater() {
		KafkaException failure = new KafkaException("Failed to construct kafka consumer",
				new ConfigException("No resolvable bootstrap urls given in bootstrap.servers"));
		assertThat(ClientRefusal.isFinal(failure)).isFalse();
		assertThat(ClientRefusal.isConfig(failure)).isFalse();
	}

	@Test
	void aLoginThatFailsMaySucceedLater() {
		assertThat(ClientRefusal.isFinal(new KafkaException("Failed to construct kafka consumer",
				new javax.security.auth.login.LoginException("simulated"))))
			.isFalse();
	}

	@Test
	void whateverElseTheClientRefusesItWillRefuseAgain() {
		assertThat(ClientRefusal.isConfig(new ConfigException("isolation.level", "foo"))).isTrue();
		KafkaException store = new KafkaException("Failed to construct kafka consumer",
				new java.nio.file.NoSuchFileException("/no/such/store.jks"));
		assertThat(ClientRefusal.isFinal(store)).isTrue();
		assertThat(ClientRefusal.isConfig(store)).isFalse();
		assertThat(ClientRefusal.isFinal(new IllegalStateException("not of Kafka"))).isFalse();
	}

	@Test
	void theBrokersAreNotAsked() {
		ClientCheck.consumer(Map.of("bootstrap.servers", "no-such-host.invalid:9092"), "a test");
		assertThatExceptionOfType(InvalidSettingException.class)
			.isThrownBy(() -> ClientCheck.consumer(Map.of("bootstrap.servers", "localhost"), "a test"))
			.satisfies((refused) -> assertThat(refused.getSettings().get(0).name()).isEqualTo("bootstrap.servers"));
	}

	private static Map<String, Object> config(String acks, String idempotence, String retries, String inFlight,
			String transactions) {
		Map<String, Object> config = new HashMap<>(Map.of("bootstrap.servers", "localhost:1", "key.serializer",
				StringSerializer.class, "value.serializer", StringSerializer.class));
		put(config, "acks", acks);
		put(config, "enable.idempotence", idempotence);
		put(config, "retries", retries);
		put(config, "max.in.flight.requests.per.connection", inFlight);
		put(config, "transactional.id", transactions);
		return config;
	}

	private static void put(Map<String, Object> config, String name, String value) {
		if (!value.equals(NONE)) {
			config.put(name, value);
		}
	}

	private static boolean isRefusedByUs(Map<String, Object> config) {
		try {
			ClientCheck.producer(config, config.containsKey("transactional.id"), "a test");
			return false;
		}
		catch (InvalidSettingException ex) {
			return true;
		}
	}

	private static boolean isRefusedByTheClient(Map<String, Object> config) {
		try {
			new ProducerConfig(config);
			return false;
		}
		catch (ConfigException ex) {
			return true;
		}
	}

}
