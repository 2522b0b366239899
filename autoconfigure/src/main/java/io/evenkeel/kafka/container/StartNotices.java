package io.evenkeel.kafka.container;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

import org.jspecify.annotations.Nullable;
import org.springframework.core.log.LogAccessor;

/**
 * What is said of a listener's configuration: once, however often it is checked and
 * started. Any thread.
 */
final class StartNotices {

	private final ListenerContext context;

	private final LogAccessor logger;

	private final Set<String> said = ConcurrentHashMap.newKeySet();

	StartNotices(ListenerContext context, LogAccessor logger) {
		this.context = context;
		this.logger = logger;
	}

	/** Something that the author of the application may not expect; null for nothing. */
	void warn(@Nullable String notice) {
		if (notice != null && this.said.add(notice)) {
			this.logger.warn(() -> this.context.id() + ": " + notice);
		}
	}

	/** Something that is taken otherwise than it is written; null for nothing. */
	void info(@Nullable String notice) {
		if (notice != null && this.said.add(notice)) {
			this.logger.info(() -> this.context.id() + ": " + notice);
		}
	}

}
