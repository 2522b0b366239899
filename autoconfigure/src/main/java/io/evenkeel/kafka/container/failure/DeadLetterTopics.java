package io.evenkeel.kafka.container.failure;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

import io.evenkeel.kafka.container.listener.ListenerFailures;
import io.evenkeel.kafka.thread.NanoClock;
import io.evenkeel.kafka.thread.OwnThreads;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.CreatePartitionsOptions;
import org.apache.kafka.clients.admin.CreateTopicsOptions;
import org.apache.kafka.clients.admin.DescribeTopicsOptions;
import org.apache.kafka.clients.admin.DescribeTopicsResult;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.InvalidPartitionsException;
import org.apache.kafka.common.errors.RetriableException;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.errors.TopicExistsException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.kafka.KafkaException;
import org.springframework.kafka.core.KafkaAdmin;

/**
 * What an application knows of its dead-letter topics, and makes of them: a missing one
 * is created with its source's partitions and replicas, and one that lacks the partition
 * of a record gets as many as the source has. Each is looked for once, by however many
 * records at once, and again when a record needs a partition that is not known or a dead
 * letter could not be sent.
 *
 * <h2>Threading</h2> Any thread. The cluster is asked on a thread of its own, which is
 * there only while something is asked.
 *
 * <h2>No answer is no answer</h2> A topic that nobody could be asked for may well exist:
 * the dead letter is sent to where it belongs, and the producer finds out. Only a topic
 * that is known to be missing is not sent to.
 */
final class DeadLetterTopics implements AutoCloseable {

	private static final Logger logger = LoggerFactory.getLogger(DeadLetterTopics.class);

	private static final Duration ASK_TIMEOUT = Duration.ofSeconds(5);

	/** How long a refusal, or no answer, is remembered. */
	private static final long REMEMBER_NANOS = Duration.ofSeconds(30).toNanos();

	private final @Nullable KafkaAdmin admin;

	/** The number of partitions of each topic that is known to exist, at least. */
	private final Map<String, Integer> partitions = new ConcurrentHashMap<>();

	/** Topics that are not to be asked for before this time. */
	private final Map<String, Long> notBefore = new ConcurrentHashMap<>();

	/** Partitions that do not exist and could not be made, until this time. */
	private final Map<TopicPartition, Long> missing = new ConcurrentHashMap<>();

	private final Map<TopicPartition, CompletableFuture<Void>> looks = new ConcurrentHashMap<>();

	private final NanoClock clock;

	private final ThreadPoolExecutor asker;

	/**
	 * Make a keeper of dead-letter topics.
	 * @param admin null when topics cannot be made
	 * @param clock says for how long an answer is remembered
	 */
	DeadLetterTopics(@Nullable KafkaAdmin admin, NanoClock clock) {
		this.clock = clock;
		this.admin = admin;
		this.asker = new ThreadPoolExecutor(1, 1, 1, TimeUnit.SECONDS, new LinkedBlockingQueue<>(),
				(task) -> OwnThreads.daemon("evenkeel-dead-letter-topics", null, task));
		this.asker.allowCoreThreadTimeOut(true);
	}

	/**
	 * See to it that a dead letter can be sent.
	 * @param source the topic that the record came from
	 * @param target where the dead letter belongs
	 * @param create whether something may be made
	 * @return completes when it can be sent; fails when the topic is known to be missing
	 * and could not be made
	 */
	CompletableFuture<Void> ensure(String source, TopicPartition target, boolean create) {
		KafkaAdmin known = this.admin;
		if (!create || known == null || isKnown(target) || isTooEarly(target.topic())) {
			return CompletableFuture.completedFuture(null);
		}
		CompletableFuture<Void> mine = new CompletableFuture<>();
		CompletableFuture<Void> running = this.looks.putIfAbsent(target, mine);
		if (running != null) {
			return running;
		}
		try {
			this.asker.execute(() -> look(known, source, target, mine));
		}
		catch (RejectedExecutionException ex) {
			this.looks.remove(target);
			mine.completeExceptionally(ex);
		}
		return mine;
	}

	/** See whether a topic that was known is still there, and make it if it is not. */
	void lookAgain(String source, TopicPartition target, boolean create) {
		this.partitions.remove(target.topic());
		ensure(source, target, create).exceptionally((ex) -> {
			logger.debug("Dead-letter topic {} was looked for once more in vain", target.topic(), ex);
			return null;
		});
	}

	private boolean isKnown(TopicPartition target) {
		Integer count = this.partitions.get(target.topic());
		return count != null && target.partition() < count;
	}

	private boolean isTooEarly(String topic) {
		Long until = this.notBefore.get(topic);
		return until != null && this.clock.getAsLong() - until < 0;
	}

	private void look(KafkaAdmin admin, String source, TopicPartition target, CompletableFuture<Void> told) {
		Throwable failure = null;
		try {
			if (!isKnown(target)) {
				look(admin, source, target);
			}
		}
		catch (Throwable ex) {
			failure = ex;
		}
		this.looks.remove(target);
		if (failure == null) {
			told.complete(null);
		}
		else {
			told.completeExceptionally(failure);
		}
	}

	private void look(KafkaAdmin admin, String source, TopicPartition target) {
		String topic = target.topic();
		try (Admin client = Admin.create(admin.getConfigurationProperties())) {
			DescribeTopicsResult described = client.describeTopics(List.of(source, topic),
					new DescribeTopicsOptions().timeoutMs((int) ASK_TIMEOUT.toMillis()));
			TopicDescription from = description(described, source);
			int wanted = from.partitions().size();
			Integer found = partitions(described, topic);
			if (found == null) {
				create(client, source, from, topic);
			}
			else if (target.partition() >= found) {
				grow(client, source, topic, found, wanted);
			}
			else {
				this.partitions.put(topic, found);
			}
		}
		catch (InterruptedException ex) {
			Thread.currentThread().interrupt();
			throw new KafkaException("Interrupted while dead-letter topic " + topic + " was looked for", ex);
		}
		catch (ExecutionException | org.apache.kafka.common.KafkaException ex) {
			logger.warn("Dead-letter topic {} could not be looked for; dead letters are sent to it as if it existed: "
					+ "{}", topic, ListenerFailures.types(cause(ex)));
			this.notBefore.put(topic, this.clock.getAsLong() + REMEMBER_NANOS);
		}
	}

	private static TopicDescription description(DescribeTopicsResult described, String topic)
			throws InterruptedException, ExecutionException {
		return Objects.requireNonNull(described.topicNameValues().get(topic)).get();
	}

	/** The number of its partitions; null when brokers have said that there is none. */
	private static @Nullable Integer partitions(DescribeTopicsResult described, String topic)
			throws InterruptedException, ExecutionException {
		try {
			return description(described, topic).partitions().size();
		}
		catch (ExecutionException ex) {
			if (ex.getCause() instanceof UnknownTopicOrPartitionException) {
				return null;
			}
			throw ex;
		}
	}

	private void create(Admin client, String source, TopicDescription from, String topic) throws InterruptedException {
		int count = from.partitions().size();
		short replicas = (short) from.partitions().get(0).replicas().size();
		try {
			client
				.createTopics(List.of(new NewTopic(topic, Optional.of(count), Optional.of(replicas))),
						new CreateTopicsOptions().timeoutMs((int) ASK_TIMEOUT.toMillis()))
				.all()
				.get();
			logger.info("Created dead-letter topic {} with {} partition(s) and {} replica(s), as {} has", topic, count,
					replicas, source);
			this.partitions.put(topic, count);
		}
		catch (ExecutionException ex) {
			if (!(ex.getCause() instanceof TopicExistsException)) {
				throw refused("Dead-letter topic " + topic + " does not exist and could not be created", ex, topic);
			}
			// Somebody else was faster; whether it has the partition shows when it is
			// sent to.
		}
	}

	private void grow(Admin client, String source, String topic, int found, int wanted) throws InterruptedException {
		if (wanted <= found) {
			// The source has become smaller since; the producer finds out.
			return;
		}
		try {
			client
				.createPartitions(Map.of(topic, NewPartitions.increaseTo(wanted)),
						new CreatePartitionsOptions().timeoutMs((int) ASK_TIMEOUT.toMillis()))
				.all()
				.get();
			logger.info("Dead-letter topic {} has {} partition(s) now instead of {}, as {} has", topic, wanted, found,
					source);
			this.partitions.put(topic, wanted);
		}
		catch (ExecutionException ex) {
			if (!(ex.getCause() instanceof InvalidPartitionsException)) {
				throw refused("Dead-letter topic " + topic + " could not get the partitions of " + source, ex, topic);
			}
		}
	}

	/**
	 * A broker that says no is not asked again at once: somebody else may be in charge of
	 * topics, and make it.
	 */
	private KafkaException refused(String what, ExecutionException failure, String topic) {
		Throwable cause = cause(failure);
		boolean passing = cause instanceof TimeoutException || cause instanceof RetriableException;
		if (!passing) {
			this.notBefore.put(topic, this.clock.getAsLong() + REMEMBER_NANOS);
		}
		logger.warn("{}: {}", what, ListenerFailures.types(cause));
		return new KafkaException(what, cause);
	}

	private static Throwable cause(Exception failure) {
		return (failure instanceof ExecutionException && failure.getCause() != null) ? failure.getCause() : failure;
	}

	/**
	 * Where a dead letter goes.
	 * @param target where it belongs
	 * @return there, or any partition if it is known that there is no such one
	 */
	TopicPartition destination(TopicPartition target) {
		Long until = this.missing.get(target);
		if (until == null) {
			return target;
		}
		if (this.clock.getAsLong() - until >= 0) {
			this.missing.remove(target);
			return target;
		}
		return new TopicPartition(target.topic(), -1);
	}

	/** A dead letter was acknowledged. */
	void written(TopicPartition target) {
		if (!isKnown(target) && !this.missing.containsKey(target)) {
			this.partitions.merge(target.topic(), target.partition() + 1, Math::max);
		}
	}

	/**
	 * A dead letter could not be sent: the topic may be gone, so it is looked for again.
	 * @param target where it belongs
	 * @param partitionMissing whether brokers have said that there is no such partition
	 * @param create whether it may be made
	 */
	void failed(TopicPartition target, boolean partitionMissing, boolean create) {
		this.partitions.remove(target.topic());
		boolean cannotBeMade = !create || this.admin == null || isTooEarly(target.topic());
		if (partitionMissing && cannotBeMade) {
			logger.warn("Dead-letter topic {} has no partition {} and it could not be made: the producer chooses one",
					target.topic(), target.partition());
			this.missing.put(target, this.clock.getAsLong() + REMEMBER_NANOS);
		}
	}

	@Override
	public void close() {
		this.asker.shutdownNow();
	}

}
