package io.evenkeel.kafka.producer;

import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

import io.evenkeel.kafka.broker.ProcessBroker;
import io.evenkeel.kafka.broker.ProcessBrokerKeys;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ScramCredentialInfo;
import org.apache.kafka.clients.admin.ScramMechanism;
import org.apache.kafka.clients.admin.UserScramCredentialUpsertion;
import org.apache.kafka.common.acl.AccessControlEntry;
import org.apache.kafka.common.acl.AclBinding;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.acl.AclPermissionType;
import org.apache.kafka.common.resource.PatternType;
import org.apache.kafka.common.resource.ResourcePattern;
import org.apache.kafka.common.resource.ResourceType;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

import org.springframework.kafka.support.SendResult;

import static io.evenkeel.kafka.producer.ProducerFixture.failure;
import static io.evenkeel.kafka.producer.ProducerFixture.offset;
import static io.evenkeel.kafka.producer.ProducerFixture.since;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

/**
 * Credentials, access rules and TLS, against a broker that enforces them.
 */
class ProducerSecurityIT {

	/** The broker loads its TLS before it can refuse anybody, which takes a while. */
	private static final Duration FIRST_HANDSHAKE = Duration.ofSeconds(6);

	private static final Duration SLACK = Duration.ofMillis(500);

	private static ProcessBroker broker;

	private static ProcessBrokerKeys keys;

	private final ProducerFixture fixture = new ProducerFixture();

	@BeforeAll
	static void start() throws Exception {
		keys = ProcessBrokerKeys.generate();
		Map<String, String> config = new HashMap<>();
		config.put("listener.SASL", "SASL_PLAINTEXT");
		config.put("listener.TLS", "SSL");
		config.put("sasl.enabled.mechanisms", "SCRAM-SHA-256");
		config.put("listener.name.sasl.scram-sha-256.sasl.jaas.config",
				"org.apache.kafka.common.security.scram.ScramLoginModule required;");
		config.put("listener.name.tls.ssl.keystore.location", keys.keyStore().toString());
		config.put("listener.name.tls.ssl.keystore.password", keys.password());
		config.put("listener.name.tls.ssl.keystore.type", "PKCS12");
		config.put("authorizer.class.name", "org.apache.kafka.metadata.authorizer.StandardAuthorizer");
		config.put("super.users", "User:ANONYMOUS");
		broker = ProcessBroker.single(config).start();
		for (String topic : List.of("open", "closed", "readonly", "granted")) {
			broker.createTopic(topic, 1, 1);
		}
		for (String user : List.of("alice", "bob", "carol", "dave", "erin")) {
			credentials(user, "right");
			allow(user, "open", AclOperation.WRITE);
		}
		allow("bob", "readonly", AclOperation.DESCRIBE);
	}

	@AfterAll
	static void stop() {
		broker.close();
	}

	@AfterEach
	void close() {
		this.fixture.close();
	}

	@Test
	void goodCredentialsSend() throws Exception {
		assertThat(offset(sasl("alice", "right", Duration.ofSeconds(10)).send("open", "v"))).isNotNegative();
	}

	@Test
	void badCredentialsAreCalledThatForEveryWaiter() throws Exception {
		Duration limit = Duration.ofMillis(1500);
		EvenkeelKafkaTemplate<String, String> template = sasl("alice", "top-secret-wrong", limit);
		long start = System.nanoTime();
		CompletableFuture<SendResult<String, String>> one = template.send("open", "v");
		CompletableFuture<SendResult<String, String>> two = template.send("closed", "v");
		CompletableFuture<SendResult<String, String>> three = template.send("open", "v");
		for (CompletableFuture<?> send : List.of(one, two, three)) {
			SendFailedException failure = failure(send);
			assertThat(failure.getReason()).isEqualTo(FailureReason.AUTHENTICATION);
			assertThat(failure.isPossiblySent()).isFalse();
			assertThat(failure.getPhase()).isEqualTo(FailurePhase.METADATA);
			assertThat(failure.getMessage()).doesNotContain("secret");
		}
		assertThat(since(start)).isLessThan(limit.plus(SLACK));
	}

	/** Red without the replacement of a spoiled client: it never sends again. */
	@Test
	void repairedCredentialsNeedNoRestart() throws Exception {
		EvenkeelKafkaTemplate<String, String> template = sasl("carol", "repaired", Duration.ofSeconds(2));
		assertThat(failure(template.send("open", "v")).getReason()).isEqualTo(FailureReason.AUTHENTICATION);
		credentials("carol", "repaired");
		await().atMost(Duration.ofSeconds(20))
			.ignoreExceptions()
			.until(() -> template.send("open", "v").get(5, TimeUnit.SECONDS) != null);
		for (int i = 0; i < 20; i++) {
			assertThat(offset(template.send("open", "v"))).isNotNegative();
		}
	}

	@Test
	void credentialsRepairedWhileARecordWaitsLetItThrough() throws Exception {
		EvenkeelKafkaTemplate<String, String> template = sasl("erin", "repaired", Duration.ofSeconds(30));
		CompletableFuture<SendResult<String, String>> send = template.send("open", "v");
		await().pollDelay(Duration.ofSeconds(2)).until(() -> !send.isDone());
		credentials("erin", "repaired");
		assertThat(offset(send)).isNotNegative();
	}

	@Test
	void aMissingRightIsReportedAsSoonAsTheClusterSaysSo() throws Exception {
		EvenkeelKafkaTemplate<String, String> template = sasl("alice", "right", Duration.ofSeconds(10));
		offset(template.send("open", "v"));
		long start = System.nanoTime();
		SendFailedException failure = failure(template.send("closed", "v"));
		assertThat(since(start)).isLessThan(Duration.ofSeconds(2));
		assertThat(failure.getReason()).isEqualTo(FailureReason.NOT_AUTHORIZED);
		assertThat(failure.isPossiblySent()).isFalse();
		assertThat(offset(template.send("open", "v"))).isNotNegative();
	}

	@Test
	void aGrantedRightNeedsNoRestart() throws Exception {
		EvenkeelKafkaTemplate<String, String> template = sasl("dave", "right", Duration.ofSeconds(5));
		assertThat(failure(template.send("granted", "v")).getReason()).isEqualTo(FailureReason.NOT_AUTHORIZED);
		allow("dave", "granted", AclOperation.WRITE);
		await().atMost(Duration.ofSeconds(10))
			.ignoreExceptions()
			.until(() -> template.send("granted", "v").get(6, TimeUnit.SECONDS) != null);
		assertThat(offset(template.send("granted", "v"))).isNotNegative();
	}

	@Test
	void aRefusedWriteIsNotAuthorized() throws Exception {
		EvenkeelKafkaTemplate<String, String> template = sasl("bob", "right", Duration.ofSeconds(5));
		SendFailedException failure = failure(template.send("readonly", "v"));
		assertThat(failure.getReason()).isEqualTo(FailureReason.NOT_AUTHORIZED);
		assertThat(failure.getPhase()).isEqualTo(FailurePhase.DELIVERY);
		assertThat(failure.isPossiblySent()).isFalse();
		assertThat(offset(template.send("open", "v"))).isNotNegative();
	}

	@Test
	void trustedTlsSends() throws Exception {
		EvenkeelKafkaTemplate<String, String> template = this.fixture.template(broker.bootstrapServers("TLS"),
				Duration.ofSeconds(10),
				Map.of("security.protocol", "SSL", "ssl.truststore.location", keys.trustStore().toString(),
						"ssl.truststore.password", keys.password(), "ssl.truststore.type", "PKCS12"));
		assertThat(offset(template.send("open", "v"))).isNotNegative();
	}

	@Test
	void anUntrustedCertificateIsReportedSoon() throws Exception {
		EvenkeelKafkaTemplate<String, String> template = this.fixture.template(broker.bootstrapServers("TLS"),
				Duration.ofSeconds(20), Map.of("security.protocol", "SSL"));
		long start = System.nanoTime();
		SendFailedException failure = failure(template.send("open", "v"));
		assertThat(failure.getReason()).isEqualTo(FailureReason.TLS);
		assertThat(since(start)).isLessThan(Duration.ofSeconds(5));
	}

	@Test
	void tlsToAPlaintextPortHintsAtTheProtocol() throws Exception {
		// The broker hangs up on the handshake, so no one ever says "TLS".
		EvenkeelKafkaTemplate<String, String> template = this.fixture.template(broker.bootstrapServers(),
				Duration.ofSeconds(3), Map.of("security.protocol", "SSL"));
		SendFailedException failure = failure(template.send("open", "v"));
		assertThat(failure.getReason()).isEqualTo(FailureReason.BROKERS_UNREACHABLE);
		assertThat(failure).hasMessageContaining("security.protocol");
	}

	@Test
	void plaintextToATlsPortHintsAtTheProtocol() throws Exception {
		EvenkeelKafkaTemplate<String, String> template = this.fixture.template(broker.bootstrapServers("TLS"),
				FIRST_HANDSHAKE);
		SendFailedException failure = failure(template.send("open", "v"));
		assertThat(failure.getReason()).isEqualTo(FailureReason.BROKERS_UNREACHABLE);
		assertThat(failure).hasMessageContaining("security.protocol");
	}

	@Test
	void plaintextToASaslPortHintsAtTheProtocol() throws Exception {
		EvenkeelKafkaTemplate<String, String> template = this.fixture.template(broker.bootstrapServers("SASL"),
				Duration.ofSeconds(3));
		SendFailedException failure = failure(template.send("open", "v"));
		assertThat(failure.getReason()).isEqualTo(FailureReason.BROKERS_UNREACHABLE);
		assertThat(failure).hasMessageContaining("security.protocol");
	}

	@Test
	void aMissingTrustStoreIsReportedAtOnce() throws Exception {
		EvenkeelKafkaTemplate<String, String> template = this.fixture.template(broker.bootstrapServers("TLS"),
				Duration.ofSeconds(20), Map.of("security.protocol", "SSL", "ssl.truststore.location", "/no/such/file",
						"ssl.truststore.password", "x"));
		long start = System.nanoTime();
		SendFailedException failure = failure(template.send("open", "v"));
		assertThat(failure.getReason()).isEqualTo(FailureReason.TLS);
		assertThat(since(start)).isLessThan(Duration.ofSeconds(3));
	}

	private EvenkeelKafkaTemplate<String, String> sasl(String user, String password, Duration limit) {
		return this.fixture.template(broker.bootstrapServers("SASL"), limit,
				Map.of("security.protocol", "SASL_PLAINTEXT", "sasl.mechanism", "SCRAM-SHA-256", "sasl.jaas.config",
						"org.apache.kafka.common.security.scram.ScramLoginModule required username=\"" + user
								+ "\" password=\"" + password + "\";"));
	}

	private static void credentials(String user, String password) throws Exception {
		try (Admin admin = broker.admin()) {
			admin
				.alterUserScramCredentials(List.of(new UserScramCredentialUpsertion(user,
						new ScramCredentialInfo(ScramMechanism.SCRAM_SHA_256, 4096), password)))
				.all()
				.get(20, TimeUnit.SECONDS);
		}
	}

	private static void allow(String user, String topic, AclOperation operation) throws Exception {
		try (Admin admin = broker.admin()) {
			admin
				.createAcls(List.of(new AclBinding(new ResourcePattern(ResourceType.TOPIC, topic, PatternType.LITERAL),
						new AccessControlEntry("User:" + user, "*", operation, AclPermissionType.ALLOW))))
				.all()
				.get(20, TimeUnit.SECONDS);
		}
	}

}
