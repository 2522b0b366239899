package io.evenkeel.kafka.container.setup;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

import io.evenkeel.kafka.container.listener.ListenerContext;
import org.jspecify.annotations.Nullable;
import org.springframework.core.log.LogAccessor;

/**
 * What is said of a listener's configuration: once, however often it is checked and
 * started. Any thread.
 */
public final class StartNotices {

	private final ListenerContext context;

	private final LogAccessor logger;

	private final Set<String> said = ConcurrentHashMap.newKeySet();

	public StartNotices(ListenerContext context, LogAccessor logger) {
		this.context = context;
		this.logger = logger;
	}

	/** Something that the author of the application may not expect; null for nothing. */
	public void warn(@Nullable String notice) {
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
