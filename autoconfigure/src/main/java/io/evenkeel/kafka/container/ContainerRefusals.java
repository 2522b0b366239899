package io.evenkeel.kafka.container;

import java.util.Locale;

import io.evenkeel.kafka.engine.dispatch.Ordering;
import org.jspecify.annotations.Nullable;
import org.springframework.kafka.listener.CommonErrorHandler;
import org.springframework.kafka.listener.ContainerProperties;
import org.springframework.kafka.listener.ContainerProperties.AckMode;

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
			throw refused("evenkeel.kafka.consumer.commit.save-completed", "true",
					"listener '" + id + "' has an OffsetAndMetadataProvider, and the metadata of its commits holds the "
							+ "records completed out of order",
					"Write evenkeel.kafka.consumer.commit.save-completed=false, or remove the provider.");
		}
		if (target.isBatch() && properties.isRecordObservationsInBatch()) {
			throw refused("ContainerProperties.recordObservationsInBatch", "true",
					"listener '" + id + "' takes batches, and its container observes calls, not the records of a call",
					"Leave it out.");
		}
		if (properties.getKafkaAwareTransactionManager() != null) {
			transactions(id, properties, settings, target);
		}
		else if (hasOtherTransactionManager(properties)) {
			throw refused("ContainerProperties.transactionManager", null,
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
			throw refused("evenkeel.kafka.consumer.ordering", ordering,
					"listener '" + id + "' has a transaction manager, and an offset in a transaction says that all "
							+ "records before it are done, which ordering=" + ordering + " cannot promise",
					"Write evenkeel.kafka.consumer.listeners." + id + ".ordering=partition.");
		}
		if (properties.isFixTxOffsets()) {
			throw refused("ContainerProperties.fixTxOffsets", "true",
					"listener '" + id + "' has a transaction manager, and nothing is committed beside its transactions",
					"Leave it out: the lag it hides is that of transaction markers, not of records.");
		}
		AckMode mode = properties.getAckMode();
		if (mode == AckMode.MANUAL || mode == AckMode.MANUAL_IMMEDIATE || target.isAsync()) {
			throw refused("spring.kafka.listener.ack-mode",
					target.isAsync() ? null : mode.name().toLowerCase(Locale.ROOT),
					"listener '" + id + "' has a transaction manager, and the offset goes into the transaction of the "
							+ "call; an acknowledgment or a future that comes later would be too late for it",
					"Write spring.kafka.listener.ack-mode=record and let the listener return when it is done.");
		}
	}

	/** What depends on the container rather than on its properties. */
	static void check(String id, EvenkeelContainer<?, ?> container) {
		CommonErrorHandler errors = container.getCommonErrorHandler();
		if (errors != null && container.getContainerProperties().getKafkaAwareTransactionManager() != null) {
			throw refused("CommonErrorHandler", errors.getClass().getName(),
					"listener '" + id + "' has a transaction manager, and an error handler would commit the "
							+ "transaction of a call that failed",
					"Use an AfterRollbackProcessor, or evenkeel.kafka.consumer.retry.* and .recovery.*.");
		}
	}

	private static InvalidListenerException refused(String property, @Nullable String value, String reason,
			String cure) {
		return new InvalidListenerException(property, value, reason, cure + " " + WAY_BACK);
	}

}
