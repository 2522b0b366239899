package io.evenkeel.kafka.container;

import java.util.Locale;

import io.evenkeel.kafka.config.InvalidSettingException;
import io.evenkeel.kafka.config.Setting;
import io.evenkeel.kafka.engine.dispatch.Ordering;
import org.jspecify.annotations.Nullable;
import org.springframework.kafka.listener.CommonErrorHandler;
import org.springframework.kafka.listener.ContainerProperties;
import org.springframework.kafka.listener.ContainerProperties.AckMode;
import org.springframework.kafka.listener.DelegatingMessageListener;
import org.springframework.kafka.listener.adapter.KafkaBackoffAwareMessageListenerAdapter;

/**
 * Refuses, at start-up and with the way back named, what our container cannot do right.
 */
final class ContainerRefusals {

	private static final String WAY_BACK = "A listener that needs it can use "
			+ "@KafkaListener(containerFactory = \"springKafkaListenerContainerFactory\").";

	private ContainerRefusals() {
	}

	static void check(String id, ContainerProperties properties, ContainerSettings settings, ListenerTarget target) {
		if (properties.getOffsetAndMetadataProvider() != null && settings.saveCompleted()) {
			throw refused(Setting.property(settings.names().apply("commit.save-completed"), "true"),
					"listener '" + id + "' has an OffsetAndMetadataProvider, and the metadata of its commits holds the "
							+ "records completed out of order",
					"Write evenkeel.kafka.consumer.commit.save-completed=false, or remove the provider.");
		}
		if (target.isBatch() && properties.isRecordObservationsInBatch()) {
			throw refused(container(id, "recordObservationsInBatch", "true"),
					"listener '" + id + "' takes batches, and its container observes calls, not the records of a call",
					"Leave it out.");
		}
		if (properties.getKafkaAwareTransactionManager() != null) {
			transactions(id, properties, settings, target);
		}
		else if (hasOtherTransactionManager(properties)) {
			throw refused(container(id, "transactionManager", null),
					"listener '" + id + "' has a transaction manager that is not Kafka's, and its calls are not made "
							+ "in its transactions",
					"Put @Transactional on what the listener calls.");
		}
	}

	@SuppressWarnings({ "deprecation", "removal" })
	private static boolean hasOtherTransactionManager(ContainerProperties properties) {
		return properties.getTransactionManager() != null;
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
		if (properties.isFixTxOffsets()) {
			throw refused(container(id, "fixTxOffsets", "true"),
					"listener '" + id + "' has a transaction manager, and nothing is committed beside its transactions",
					"Leave it out: the lag it hides is that of transaction markers, not of records.");
		}
		AckMode mode = properties.getAckMode();
		if (mode == AckMode.MANUAL || mode == AckMode.MANUAL_IMMEDIATE || target.isAsync()) {
			throw refused(target.isAsync() ? Setting.of("The return type", null, "the method of listener '" + id + "'")
					: Setting.of("ackMode", mode.name().toLowerCase(Locale.ROOT),
							"the container properties of listener '" + id + "'", "spring.kafka.listener.ack-mode"),
					"listener '" + id + "' has a transaction manager, and the offset goes into the transaction of the "
							+ "call; an acknowledgment or a future that comes later would be too late for it",
					"Write spring.kafka.listener.ack-mode=record and let the listener return when it is done.");
		}
	}

	/** What depends on the container rather than on its properties. */
	static void check(String id, EvenkeelContainer<?, ?> container) {
		CommonErrorHandler errors = container.getCommonErrorHandler();
		if (errors == null || container.getContainerProperties().getKafkaAwareTransactionManager() == null) {
			return;
		}
		String why = "the listener has a transaction manager, and an error handler would commit the transaction of a "
				+ "call that failed";
		String cure = "Use evenkeel.kafka.consumer.retry.* and .recovery.*, or an AfterRollbackProcessor.";
		if (isRetryTopic(container.getContainerProperties().getMessageListener())) {
			throw refused(Setting.of("@RetryableTopic", null, "listener '" + container.settingsId() + "'"),
					why + "; retry topics are made with one", "Remove @RetryableTopic, or the transactions "
							+ "(spring.kafka.producer.transaction-id-prefix, a KafkaTransactionManager). " + cure);
		}
		throw refused(Setting.of("CommonErrorHandler", errors.getClass().getName(),
				"the container factory of listener '" + id + "'"), why, cure);
	}

	private static boolean isRetryTopic(@Nullable Object listener) {
		Object current = listener;
		while (current instanceof DelegatingMessageListener<?> delegating) {
			if (current instanceof KafkaBackoffAwareMessageListenerAdapter<?, ?>) {
				return true;
			}
			current = delegating.getDelegate();
		}
		return false;
	}

	private static Setting container(String id, String name, @Nullable String value) {
		return Setting.of("ContainerProperties." + name, value, "the container of listener '" + id + "'");
	}

	private static InvalidSettingException refused(Setting setting, String reason, String cure) {
		return new InvalidSettingException(setting, reason, cure + " " + WAY_BACK);
	}

}
