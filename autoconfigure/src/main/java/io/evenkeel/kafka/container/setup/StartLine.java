package io.evenkeel.kafka.container.setup;

import java.util.Arrays;
import java.util.Collection;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

import io.evenkeel.kafka.container.listener.ContainerSettings;
import io.evenkeel.kafka.container.listener.ListenerContext;
import io.evenkeel.kafka.engine.EngineSettings;
import io.evenkeel.kafka.engine.retry.RetrySettings;
import org.apache.kafka.clients.CommonClientConfigs;
import org.jspecify.annotations.Nullable;
import org.springframework.context.ApplicationContext;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.kafka.core.ProducerFactory;
import org.springframework.kafka.listener.AfterRollbackProcessor;
import org.springframework.kafka.listener.CommonErrorHandler;
import org.springframework.kafka.listener.ConsumerRecordRecoverer;
import org.springframework.kafka.listener.ContainerProperties;
import org.springframework.kafka.listener.adapter.KafkaBackoffAwareMessageListenerAdapter;
import org.springframework.util.StringUtils;

/**
 * What is said of a listener when it starts: on which container, in which group and why,
 * and what becomes of its records.
 */
final class StartLine {

	private final ListenerContext context;

	private final GroupOrigin origin;

	/** Null when the user has set none. */
	private final @Nullable AfterRollbackProcessor<?, ?> rollbacks;

	private final ContainerSettings settings;

	private final EngineSettings engine;

	private final Map<String, Object> config;

	StartLine(ListenerContext context, GroupOrigin origin, @Nullable AfterRollbackProcessor<?, ?> rollbacks,
			ContainerSettings settings, EngineSettings engine, Map<String, Object> config) {
		this.context = context;
		this.origin = origin;
		this.rollbacks = rollbacks;
		this.settings = settings;
		this.engine = engine;
		this.config = config;
	}

	String text() {
		return this.context.id() + ": starts on Evenkeel's container; " + topics() + ", " + group() + ", ordering="
				+ this.engine.ordering().name().toLowerCase(Locale.ROOT) + ", "
				+ ((this.engine.batchSize() > 0) ? "batches of at most " + this.engine.batchSize() + ", " : "")
				+ "concurrency=" + this.engine.concurrency() + "; " + failures();
	}

	private String topics() {
		ContainerProperties properties = this.context.properties();
		if (properties.getTopicPartitions() != null) {
			return "partitions " + Arrays.stream(properties.getTopicPartitions())
				.map((partition) -> String.valueOf(partition.getTopicPartition()))
				.toList();
		}
		String[] topics = properties.getTopics();
		return (topics != null) ? "topics " + Arrays.toString(topics) : "topics like " + properties.getTopicPattern();
	}

	private String group() {
		String group = this.context.groupId();
		return (group == null || group.isBlank()) ? "no group"
				: "group '" + group + "' (from " + this.origin.place(this.context, this.config) + ")";
	}

	private String failures() {
		ContainerProperties properties = this.context.properties();
		Object rollbacks = this.rollbacks;
		if (properties.getKafkaAwareTransactionManager() != null && rollbacks != null) {
			return "failures are left to " + rollbacks.getClass().getName();
		}
		if (properties.getMessageListener() instanceof KafkaBackoffAwareMessageListenerAdapter<?, ?>) {
			return "failures go to its retry topics";
		}
		CommonErrorHandler errors = this.context.errorHandler();
		if (errors != null) {
			return "failures are left to " + errors.getClass().getName();
		}
		RetrySettings retry = this.settings.retry();
		String attempts = (retry.maxAttempts() == 1) ? "1 attempt" : retry.maxAttempts() + " attempts with waits from "
				+ retry.initialInterval().toMillis() + " ms to " + retry.maxInterval().toMillis() + " ms";
		return attempts + ", then " + switch (this.settings.onExhausted()) {
			case DEAD_LETTER -> recovery();
			case SKIP -> "skipped";
			case STOP -> "the listener stops";
		};
	}

	private String recovery() {
		ApplicationContext context = this.context.application();
		if (context == null) {
			return "to " + deadLetters();
		}
		ConsumerRecordRecoverer user = context.getBeanProvider(ConsumerRecordRecoverer.class).getIfUnique();
		return (user != null) ? "left to " + user.getClass().getName() : "to " + deadLetters() + elsewhere(context);
	}

	private String deadLetters() {
		return "the topic with the suffix " + this.settings.topicSuffix();
	}

	/**
	 * Dead letters are sent by the application's producer, also those of another cluster.
	 */
	private String elsewhere(ApplicationContext context) {
		Set<String> own = servers(this.config.get(CommonClientConfigs.BOOTSTRAP_SERVERS_CONFIG));
		String[] names = context.getBeanNamesForType(ProducerFactory.class, false, false);
		// One that was not needed so far is not made for this line.
		if (names.length != 1 || own.isEmpty() || !(context instanceof ConfigurableApplicationContext known)
				|| !(known.getBeanFactory().getSingleton(names[0]) instanceof ProducerFactory<?, ?> producers)) {
			return "";
		}
		Set<String> theirs = servers(
				producers.getConfigurationProperties().get(CommonClientConfigs.BOOTSTRAP_SERVERS_CONFIG));
		return (theirs.isEmpty() || theirs.equals(own)) ? ""
				: " on the brokers " + theirs + " of the application's producer factory, not on its own " + own;
	}

	static Set<String> servers(@Nullable Object configured) {
		if (configured == null) {
			return Set.of();
		}
		String text = (configured instanceof Collection<?> several)
				? StringUtils.collectionToCommaDelimitedString(several) : String.valueOf(configured);
		return new TreeSet<>(StringUtils.commaDelimitedListToSet(StringUtils.trimAllWhitespace(text)));
	}

}
