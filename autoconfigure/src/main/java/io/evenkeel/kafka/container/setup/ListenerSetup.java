package io.evenkeel.kafka.container.setup;

import io.evenkeel.kafka.container.failure.SendFailures;
import io.evenkeel.kafka.container.life.OwnerReport;
import io.evenkeel.kafka.container.listener.ContainerEvents;
import io.evenkeel.kafka.container.listener.ContainerSettings;
import io.evenkeel.kafka.container.listener.ListenerContext;
import io.evenkeel.kafka.container.rebalance.PartitionEvents;
import io.evenkeel.kafka.engine.EngineObserver;
import io.evenkeel.kafka.engine.PauseRequests;
import io.evenkeel.kafka.engine.StopCause;
import io.evenkeel.kafka.thread.NanoClock;
import org.jspecify.annotations.Nullable;
import org.springframework.kafka.core.KafkaAdmin;
import org.springframework.kafka.listener.AfterRollbackProcessor;
import org.springframework.kafka.listener.BatchInterceptor;
import org.springframework.kafka.listener.ConsumerRecordRecoverer;
import org.springframework.kafka.listener.RecordInterceptor;

/**
 * What an engine is put together from, asked of the container that starts: its settings,
 * what the application has put around calls, and who hears of the engine.
 *
 * @param <K> the type of the key
 * @param <V> the type of the value
 */
public interface ListenerSetup<K, V> {

	ListenerContext context();

	ContainerSettings settings();

	/** What spring-kafka's factory or the annotation says is the most calls at once. */
	int concurrency();

	GroupOrigin groupOrigin();

	StartNotices notices();

	/**
	 * Whether this is the first time that a container asks about an object of the
	 * application: what is said of it is said once for all.
	 */
	boolean isFirstTime(Object subject);

	@Nullable RecordInterceptor<K, V> recordInterceptor();

	@Nullable BatchInterceptor<K, V> batchInterceptor();

	boolean interceptsBeforeTransaction();

	/** What the user set; null when there is only spring-kafka's default. */
	@Nullable AfterRollbackProcessor<K, V> rollbackProcessor();

	/** The container's own; null when it was given none. */
	@Nullable KafkaAdmin admin();

	/** The id that the client really has. */
	String clientId();

	String clientIdSuffix();

	PauseRequests pauses();

	/** Whether the user wants any single partition paused. */
	boolean hasPartitionPauses();

	ContainerEvents events();

	PartitionEvents partitionEvents();

	OwnerReport state();

	/** Meters of the engine that starts. */
	EngineObserver meters();

	/** Where records go whose attempts are exhausted. */
	ConsumerRecordRecoverer recoverer(String suffix);

	SendFailures sends();

	/** The time that the listener goes by. */
	NanoClock clock();

	/** The engine has ended. Owner thread. */
	void ended(StopCause cause, @Nullable Throwable why);

}
