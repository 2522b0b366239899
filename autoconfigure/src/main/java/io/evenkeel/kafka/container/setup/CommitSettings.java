package io.evenkeel.kafka.container.setup;

import java.time.Duration;
import java.util.function.UnaryOperator;

import io.evenkeel.kafka.container.listener.ListenerContext;
import io.evenkeel.kafka.engine.ConsumerHooks;
import io.evenkeel.kafka.thread.NanoClock;
import org.apache.commons.logging.LogFactory;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.consumer.OffsetCommitCallback;
import org.jspecify.annotations.Nullable;
import org.springframework.core.log.LogAccessor;
import org.springframework.kafka.listener.ContainerProperties;
import org.springframework.kafka.listener.ListenerMetadata;
import org.springframework.kafka.listener.OffsetAndMetadataProvider;
import org.springframework.kafka.support.LogIfLevelEnabled;

/**
 * Container settings that concern each commit or each poll of the consumer, in the
 * engine's terms; nothing is put around the consumer unless one of them is set.
 */
final class CommitSettings {

	private CommitSettings() {
	}

	static <K, V> Consumer<K, V> around(Consumer<K, V> consumer, ListenerContext context, NanoClock clock) {
		ContainerProperties properties = context.properties();
		OffsetCommitCallback callback = properties.getCommitCallback();
		OffsetAndMetadataProvider provider = properties.getOffsetAndMetadataProvider();
		if (callback == null && provider == null && properties.getIdleBetweenPolls() <= 0
				&& properties.getCommitLogLevel() == LogIfLevelEnabled.Level.DEBUG) {
			return consumer;
		}
		ListenerMetadata metadata = new Metadata(context.id(), context.groupId(), context.info());
		UnaryOperator<OffsetAndMetadata> provide = (provider != null)
				? (offset) -> provider.provide(metadata, offset.offset()) : UnaryOperator.identity();
		LogIfLevelEnabled log = new LogIfLevelEnabled(new LogAccessor(LogFactory.getLog(CommitSettings.class)),
				properties.getCommitLogLevel());
		return ConsumerHooks.around(consumer, new ConsumerHooks.Hooks(provide,
				(offsets) -> log.log(() -> "Committing: " + offsets), (callback != null) ? callback : (offsets, ex) -> {
					// Nobody wants to hear.
				}, Duration.ofMillis(properties.getIdleBetweenPolls())), clock);
	}

	@SuppressWarnings("ArrayRecordComponent") // the interface gives it out as it is
	private record Metadata(String getListenerId, @Nullable String getGroupId,
			byte @Nullable [] getListenerInfo) implements ListenerMetadata {
	}

}
