package io.evenkeel.kafka.producer;

import java.util.concurrent.TimeUnit;

import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.common.errors.AuthenticationException;
import org.apache.kafka.common.errors.SslAuthenticationException;
import org.jspecify.annotations.Nullable;

/**
 * What is known of the cluster as a whole: when it last answered, and what kept the
 * client from asking.
 * <p>
 * <b>Threading.</b> Written by the client's I/O thread (answers), by whoever peeks
 * (authentication) and by the scheduler (construction); read by any thread. <b>Why.</b>
 * The client hands an authentication error to a single waiter and then forgets it; here
 * all lines find it. Each field is volatile by itself: a reader that combines two of them
 * sees a state the cluster was in a moment ago, which is all a diagnosis can claim.
 */
final class ClusterEvidence {

	/** How old a refusal may be when somebody begins to wait. */
	private static final long REFUSAL_COUNTS = TimeUnit.SECONDS.toNanos(5);

	/** A client that is connected may not ask again so soon: retry.backoff.max.ms. */
	private static final long ASKS_AGAIN = TimeUnit.MILLISECONDS.toNanos(1200);

	/** Whoever looks for a topic asks about once a second. */
	private static final long STILL_ANSWERS = TimeUnit.SECONDS.toNanos(3);

	private final long createdAt;

	private volatile boolean answered;

	private volatile long answeredAt;

	private volatile @Nullable String clusterId;

	private volatile @Nullable Refusal refusal;

	private volatile @Nullable Diagnosis construction;

	private volatile @Nullable Trouble trouble;

	/** A connection was seen, and no answer ever. */
	private volatile boolean mute;

	ClusterEvidence(long now) {
		this.createdAt = now;
	}

	void answered(@Nullable String clusterId, long now) {
		this.answeredAt = now;
		this.answered = true;
		this.mute = false;
		if (clusterId != null) {
			this.clusterId = clusterId;
		}
	}

	/** A record arrived, so there is no trouble with the cluster as a whole. */
	void delivered() {
		if (this.trouble != null) {
			this.trouble = null;
		}
	}

	void refused(AuthenticationException exception, long now) {
		this.refusal = new Refusal(exception, now);
	}

	void construction(@Nullable Diagnosis diagnosis) {
		this.construction = diagnosis;
	}

	@Nullable Diagnosis construction() {
		return this.construction;
	}

	@Nullable String clusterId() {
		return this.clusterId;
	}

	boolean hasAnswered() {
		return this.answered;
	}

	/** Whether it has answered after a time, and still does. */
	boolean answersSince(long time, long now) {
		return answeredSince(time) && now - this.answeredAt < STILL_ANSWERS;
	}

	boolean answeredSince(long time) {
		return this.answered && this.answeredAt - time > 0;
	}

	/** Since the last answer, or since the producer was made. */
	long silentNanos(long now) {
		return now - (this.answered ? this.answeredAt : this.createdAt);
	}

	/**
	 * The last refusal, unless the cluster has answered since, or has been silent for so
	 * long that it would have refused again: the client goes on trying.
	 */
	private @Nullable AuthenticationException standingRefusal(long since) {
		Refusal last = this.refusal;
		boolean stands = last != null && !answeredSince(last.at()) && last.at() - since + REFUSAL_COUNTS > 0;
		return (last != null && stands) ? last.exception() : null;
	}

	/** The last TLS failure, if it was seen after the given time and stands. */
	@Nullable AuthenticationException standingTlsFailureSince(long time) {
		Refusal last = this.refusal;
		if (last == null || last.at() - time <= 0 || answeredSince(last.at())) {
			return null;
		}
		return (last.exception() instanceof SslAuthenticationException) ? last.exception() : null;
	}

	/**
	 * Why a topic or a partition is not known.
	 * @param partition the missing partition, negative when the topic is missing
	 * @param since when somebody began to wait for it
	 * @param now the time
	 * @param client the client, {@code null} if there is none
	 * @return the diagnosis
	 */
	Diagnosis explain(int partition, long since, long now, @Nullable Producer<?, ?> client) {
		AuthenticationException refused = standingRefusal(since);
		if (refused != null) {
			return Diagnoser.classify(refused);
		}
		if (answeredSince(since) || isAnswerStillGood(now, client)) {
			return (partition < 0) ? new Diagnosis(FailureReason.TOPIC_NOT_FOUND, "brokers know no such topic", null)
					: new Diagnosis(FailureReason.PARTITION_NOT_FOUND, "the topic has no partition " + partition, null);
		}
		look(client);
		return new Diagnosis(FailureReason.BROKERS_UNREACHABLE,
				this.mute ? "connections open, but nothing is ever answered: check security.protocol" : null, null);
	}

	/**
	 * See whether connections open to brokers that never answer, and keep it in mind
	 * until they do: the client that has seen it may be replaced.
	 */
	void look(@Nullable Producer<?, ?> client) {
		if (client != null && !this.answered && !this.mute) {
			this.mute = ConnectionCounts.wereMade(client.metrics());
		}
	}

	private boolean isAnswerStillGood(long now, @Nullable Producer<?, ?> client) {
		return this.answered && now - this.answeredAt < ASKS_AGAIN && client != null
				&& ConnectionCounts.isConnected(client.metrics());
	}

	/**
	 * A diagnosis was made: remember it if it concerns the whole cluster.
	 * @param reason what was found
	 * @param since when somebody began to wait in vain
	 * @param now the time
	 */
	void found(FailureReason reason, long since, long now) {
		if (concernsAll(reason)) {
			Trouble standing = standingTrouble();
			this.trouble = new Trouble(reason, (standing != null) ? standing.since() : since, now);
		}
	}

	/**
	 * The client gave a record up: if the cluster has said nothing since it was sent, it
	 * cannot be reached.
	 * @param reason what the client said
	 * @param since when the record was sent
	 * @param now the time
	 */
	void undelivered(FailureReason reason, long since, long now) {
		if (reason == FailureReason.DELIVERY_TIMEOUT && !answeredSince(since)) {
			found(FailureReason.BROKERS_UNREACHABLE, since, now);
		}
	}

	/** Whether a reason is about the cluster, not about a topic or a record. */
	static boolean concernsAll(FailureReason reason) {
		return switch (reason) {
			case BROKERS_UNREACHABLE, AUTHENTICATION, TLS, DNS_RESOLUTION -> true;
			default -> false;
		};
	}

	/** What keeps everybody from the cluster, unless it has answered since. */
	@Nullable Trouble standingTrouble() {
		Trouble last = this.trouble;
		return (last != null && !answeredSince(last.noticedAt())) ? last : null;
	}

	/**
	 * Trouble with the cluster as a whole.
	 *
	 * @param reason what it is
	 * @param since when it began to be felt
	 * @param noticedAt when it was last noticed
	 */
	record Trouble(FailureReason reason, long since, long noticedAt) {

	}

	private record Refusal(AuthenticationException exception, long at) {

	}

}
