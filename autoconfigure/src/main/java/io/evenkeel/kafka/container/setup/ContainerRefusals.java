package io.evenkeel.kafka.container.setup;

import java.util.Locale;

import io.evenkeel.kafka.config.InvalidSettingException;
import io.evenkeel.kafka.config.Setting;
import io.evenkeel.kafka.container.call.ListenerTarget;
import io.evenkeel.kafka.container.listener.ContainerSettings;
import io.evenkeel.kafka.container.listener.ListenerContext;
import io.evenkeel.kafka.engine.dispatch.Ordering;
import org.jspecify.annotations.Nullable;
import org.springframework.kafka.listener.CommonErrorHandler;
import org.springframework.kafka.listener.ContainerProperties;
import org.springframework.kafka.listener.ContainerProperties.AckMode;
import org.springframework.transaction.TransactionDefinition;

/**
 * Refuses, at start-up and with the way back named, what our container cannot do right.
 */
public final class ContainerRefusals {

	private static final String WAY_BACK = "A listener that needs it can use "
			+ "@KafkaListener(containerFactory = \"springKafkaListenerContainerFactory\").";

	private ContainerRefusals() {
	}

	static void check(String id, ContainerProperties properties, ContainerSettings settings, ListenerTarget target) {
		if (target.returnsFutures() && target.splitsBatches()) {
			throw refused(Setting.of("BatchToRecordAdapter", null, "the container factory of listener '" + id + "'"),
					"listener '" + id + "' returns futures, and the batch would be done with the first of them",
					"Leave the adapter and batch out: records are handled one by one then, and each future is awaited.");
		}
		if (properties.getPollTimeout() < 0) {
			throw new InvalidSettingException(
					Setting.of("ContainerProperties.pollTimeout", properties.getPollTimeout(),
							"the container of listener '" + id + "'", "spring.kafka.listener.poll-timeout"),
					"the Kafka consumer takes no negative timeout", "Remove it, or write a duration such as 100ms.");
		}
		TransactionDefinition definition = properties.getTransactionDefinition();
		if (definition != null && definition.getPropagationBehavior() != TransactionDefinition.PROPAGATION_REQUIRED
				&& definition.getPropagationBehavior() != TransactionDefinition.PROPAGATION_REQUIRES_NEW) {
			throw new InvalidSettingException(Setting.of("ContainerProperties.transactionDefinition",
					"propagation " + definition.getPropagationBehavior(), "the container of listener '" + id + "'"),
					"a call of listener '" + id + "' begins its transaction, as there is none around it",
					"Write PROPAGATION_REQUIRED or PROPAGATION_REQUIRES_NEW.");
		}
		if (properties.getKafkaAwareTransactionManager() != null) {
			transactions(id, properties, settings, target);
		}
	}

	private static void transactions(String id, ContainerProperties properties, ContainerSettings settings,
			ListenerTarget target) {
		if (!target.isBatch() && settings.ordering() != Ordering.PARTITION) {
			String ordering = settings.ordering().name().toLowerCase(Locale.ROOT);
			throw refused(Setting.property(settings.names().apply("ordering"), ordering),
					"listener '" + id + "' has a transaction manager, and an offset in a transaction says that all "
							+ "records before it are done, which ordering=" + ordering + " cannot promise",
					"Write evenkeel.kafka.consumer.listeners." + id + ".ordering=partition.");
		}
		AckMode mode = properties.getAckMode();
		boolean manual = mode == AckMode.MANUAL || mode == AckMode.MANUAL_IMMEDIATE;
		if (manual && properties.isAsyncAcks() && !target.isAsync()) {
			throw refused(
					Setting.of("asyncAcks", "true", "the container properties of listener '" + id + "'",
							"spring.kafka.listener.async-acks"),
					"listener '" + id + "' has a transaction manager, and an offset in a transaction says that all "
							+ "records before it are done, which acknowledgments in any order cannot promise",
					"Leave it out, and acknowledge before the listener returns.");
		}
	}

	/** Who subscribes to topics is a member of a group. */
	public static void checkGroup(@Nullable String id, @Nullable String groupId, ContainerProperties properties) {
		if (properties.getTopicPartitions() == null && (groupId == null || groupId.isBlank())) {
			throw new InvalidSettingException(Setting.property("spring.kafka.consumer.group-id", null), "listener '"
					+ id + "' has no group id (No group.id found in consumer config, container properties, "
					+ "or @KafkaListener annotation), and a listener that subscribes to topics cannot do without",
					"Write spring.kafka.consumer.group-id=<name of your application>, or "
							+ "@KafkaListener(groupId = \"...\"), or give the listener an id.");
		}
	}

	/** What depends on the container rather than on its properties. */
	static void check(ListenerContext context, ListenerTarget target) {
		CommonErrorHandler errors = context.errorHandler();
		if (errors != null && target.isBatch() && context.properties().getKafkaAwareTransactionManager() != null) {
			throw refused(
					Setting.of("CommonErrorHandler", errors.getClass().getName(),
							"the container factory of listener '" + context.id() + "'"),
					"the listener takes batches and has a transaction manager; an error handler that gives up one "
							+ "record of a batch would lose what was rolled back of those before it",
					"Use an AfterRollbackProcessor, or evenkeel.kafka.consumer.retry.* and .recovery.*.");
		}
	}

	private static InvalidSettingException refused(Setting setting, String reason, String cure) {
		return new InvalidSettingException(setting, reason, cure + " " + WAY_BACK);
	}

}
