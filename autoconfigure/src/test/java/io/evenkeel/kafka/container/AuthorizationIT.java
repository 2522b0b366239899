package io.evenkeel.kafka.container;

import java.time.Duration;
import java.util.List;
import java.util.Map;

import io.evenkeel.kafka.broker.ProcessBroker;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ScramCredentialInfo;
import org.apache.kafka.clients.admin.ScramMechanism;
import org.apache.kafka.clients.admin.UserScramCredentialUpsertion;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.acl.AccessControlEntry;
import org.apache.kafka.common.acl.AclBinding;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.acl.AclPermissionType;
import org.apache.kafka.common.resource.PatternType;
import org.apache.kafka.common.resource.ResourcePattern;
import org.apache.kafka.common.resource.ResourceType;
import org.apache.kafka.common.serialization.StringSerializer;
import org.assertj.core.api.Assertions;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.event.EventListener;
import org.springframework.kafka.config.ContainerCustomizer;
import org.springframework.kafka.event.ConsumerRetryAuthEvent;
import org.springframework.kafka.event.ConsumerRetryAuthSuccessfulEvent;
import org.springframework.kafka.event.ConsumerStoppedEvent;
import org.springframework.kafka.listener.ConcurrentMessageListenerContainer;
import org.springframework.stereotype.Component;

/**
 * A listener that may not read its topic yet, on a broker that enforces it.
 */
class AuthorizationIT {

	private static final String USER = "reader";

	private static ProcessBroker broker;

	@BeforeAll
	static void start() throws Exception {
		broker = ProcessBroker
			.single(Map.of("listener.SASL", "SASL_PLAINTEXT", "sasl.enabled.mechanisms", "SCRAM-SHA-256",
					"listener.name.sasl.scram-sha-256.sasl.jaas.config",
					"org.apache.kafka.common.security.scram.ScramLoginModule required;", "authorizer.class.name",
					"org.apache.kafka.metadata.authorizer.StandardAuthorizer", "super.users", "User:ANONYMOUS"))
			.start();
		try (Admin admin = broker.admin()) {
			admin
				.alterUserScramCredentials(List.of(new UserScramCredentialUpsertion(USER,
						new ScramCredentialInfo(ScramMechanism.SCRAM_SHA_256, 4096), "secret")))
				.all()
				.get();
		}
	}

	@AfterAll
	static void stop() {
		broker.close();
	}

	private static String topic(String prefix, Engine engine) throws Exception {
		String topic = prefix + "-" + engine.name().toLowerCase(java.util.Locale.ROOT);
		broker.createTopic(topic, 1, 1);
		allow(ResourceType.GROUP, topic, AclOperation.READ);
		allow(ResourceType.TOPIC, topic, AclOperation.DESCRIBE);
		try (KafkaProducer<String, String> producer = new KafkaProducer<>(
				Map.of("bootstrap.servers", broker.bootstrapServers()), new StringSerializer(),
				new StringSerializer())) {
			producer.send(new ProducerRecord<>(topic, "one")).get();
		}
		return topic;
	}

	private static void allow(ResourceType type, String name, AclOperation operation) throws Exception {
		try (Admin admin = broker.admin()) {
			admin.createAcls(List.of(new AclBinding(new ResourcePattern(type, name, PatternType.LITERAL),
					new AccessControlEntry("User:" + USER, "*", operation, AclPermissionType.ALLOW))))
				.all()
				.get();
		}
	}

	private static App.Builder app(Engine engine, Calls calls, Class<?>... configurations) {
		return App.of(configurations)
			.bean(calls)
			.on(engine)
			.with("spring.kafka.bootstrap-servers=" + broker.bootstrapServers("SASL"),
					"spring.kafka.security.protocol=SASL_PLAINTEXT",
					"spring.kafka.properties.sasl.mechanism=SCRAM-SHA-256",
					"spring.kafka.properties.sasl.jaas.config="
							+ "org.apache.kafka.common.security.scram.ScramLoginModule required username=\"" + USER
							+ "\" password=\"secret\";");
	}

	@ParameterizedTest
	@EnumSource
	void aRefusedListenerStops(Engine engine) throws Exception {
		String topic = topic("stops", engine);
		Calls calls = new Calls();
		try (App app = app(engine, calls, SurfaceIT.Plain.class, Told.class).start(topic)) {
			calls.await("stopped AUTH");
			Awaitility.await()
				.atMost(Duration.ofSeconds(20))
				.until(() -> !app.container("listener").isRunning() && !app.container("listener").isInExpectedState());
			Assertions.assertThat(calls.all()).containsExactly("stopped AUTH");
		}
	}

	@ParameterizedTest
	@EnumSource
	void aRefusedListenerIsRestartedWhenAskedFor(Engine engine) throws Exception {
		String topic = topic("restarts", engine);
		Calls calls = new Calls();
		try (App app = app(engine, calls, SurfaceIT.Plain.class, Told.class, Restarting.class).start(topic)) {
			calls.await("stopped AUTH");
			allow(ResourceType.TOPIC, topic, AclOperation.READ);
			calls.await("one");
			Assertions.assertThat(app.container("listener").isRunning()).isTrue();
		}
	}

	@ParameterizedTest
	@EnumSource
	void aRefusedListenerAsksAgainWhenAskedFor(Engine engine) throws Exception {
		String topic = topic("asks", engine);
		Calls calls = new Calls();
		try (App app = app(engine, calls, SurfaceIT.Plain.class, Told.class)
			.with("spring.kafka.listener.auth-exception-retry-interval=200ms")
			.start(topic)) {
			calls.await("refused");
			Assertions.assertThat(app.container("listener").isRunning()).isTrue();
			allow(ResourceType.TOPIC, topic, AclOperation.READ);
			calls.await("one", "accepted");
			Assertions.assertThat(calls.all()).doesNotContain("stopped AUTH");
		}
	}

	/** Adds what it is told to the calls. */
	@Component
	static class Told {

		private final Calls calls;

		Told(Calls calls) {
			this.calls = calls;
		}

		@EventListener
		void on(ConsumerStoppedEvent event) {
			this.calls.add("stopped " + event.getReason());
		}

		@EventListener
		void on(ConsumerRetryAuthEvent event) {
			this.calls.add("refused");
		}

		@EventListener
		void on(ConsumerRetryAuthSuccessfulEvent event) {
			this.calls.add("accepted");
		}

	}

	@Configuration(proxyBeanMethods = false)
	static class Restarting {

		@Bean
		ContainerCustomizer<Object, Object, ConcurrentMessageListenerContainer<Object, Object>> restarting() {
			return (container) -> container.getContainerProperties().setRestartAfterAuthExceptions(true);
		}

	}

}
