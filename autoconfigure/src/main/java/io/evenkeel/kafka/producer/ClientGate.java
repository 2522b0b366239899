package io.evenkeel.kafka.producer;

import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

import io.evenkeel.kafka.producer.line.HandOver;
import io.evenkeel.kafka.producer.line.LineClient;
import io.evenkeel.kafka.producer.line.Obstacle;
import io.evenkeel.kafka.producer.line.Probe;
import org.apache.kafka.clients.producer.BufferExhaustedException;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.errors.AuthenticationException;
import org.apache.kafka.common.errors.InterruptException;
import org.apache.kafka.common.errors.InvalidTopicException;
import org.apache.kafka.common.errors.SerializationException;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.errors.TopicAuthorizationException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.jspecify.annotations.Nullable;

/**
 * The only door to the client's sends: looks whether a topic is ready, hands records
 * over, and says what is wrong when nothing moves.
 * <p>
 * <b>Threading.</b> Senders look and offer, the scheduler probes and hands over, the
 * timer diagnoses. The client runs with {@code max.block.ms=0}, so none of it waits.
 * <p>
 * <b>Why freshness.</b> The client gives a missing topic, a dead broker and a refused
 * principal the same exception, and what it nests may be the answer of five minutes ago.
 * So a nested cause counts only if the cluster has answered since the record began to
 * wait, and no answer since then means that the brokers cannot be reached.
 */
final class ClientGate<K, V> implements LineClient<Diagnosis, PendingSend<K, V>> {

	/**
	 * For so long one look is enough. Should the client forget the topic in between, it
	 * refuses the record at once, and the record joins its line as it would have.
	 */
	private static final long KNOWN = TimeUnit.MILLISECONDS.toNanos(50);

	private final ClientLife<K, V> life;

	private final ClusterEvidence evidence;

	private final LongSupplier clock;

	private final UserCode<K, V> userCode;

	private final ReplacementRequest<K, V> replacement;

	private final TopicErrors said = new TopicErrors();

	private final ClientMemory memory = new ClientMemory();

	/** Plain, because any one will do: what it says is for its reader to check. */
	private @Nullable Known known;

	ClientGate(ClientLife<K, V> life, ClusterEvidence evidence, LongSupplier clock, UserCode<K, V> userCode,
			ReplacementRequest<K, V> replacement) {
		this.life = life;
		this.evidence = evidence;
		this.clock = clock;
		this.userCode = userCode;
		this.replacement = replacement;
	}

	/**
	 * The number of partitions, if the client knows the topic; otherwise it asks.
	 * @param client the client
	 * @param topic the topic
	 * @param now the time
	 * @return the number, 0 if the client does not know
	 */
	int look(Client<K, V> client, String topic, long now) {
		int known = knows(client, topic, now);
		if (known > 0) {
			return known;
		}
		if (!TopicNames.isValid(topic)) {
			// The client would go on asking for it, and complain each time.
			return 0;
		}
		try {
			int partitions = client.producer().partitionsFor(topic).size();
			if (partitions > 0) {
				this.known = new Known(client, topic, partitions, now + KNOWN);
			}
			return partitions;
		}
		catch (AuthenticationException ex) {
			refused(client, ex);
		}
		catch (KafkaException ex) {
			// The line finds out what it means.
			this.said.note(topic, ex);
		}
		catch (IllegalStateException ex) {
			// It was closed.
		}
		return 0;
	}

	/**
	 * The number of partitions if the client knew the topic a moment ago, otherwise 0.
	 */
	int knows(Client<K, V> client, String topic, long now) {
		Known last = this.known;
		boolean counts = last != null && last.client() == client && now - last.until() < 0
				&& last.topic().equals(topic);
		return (last != null && counts) ? last.partitions() : 0;
	}

	@Override
	public Probe<Diagnosis> probe(String topic, long since) {
		Client<K, V> client = this.life.current();
		if (client == null) {
			Diagnosis found = this.evidence.construction();
			boolean hopeless = found != null
					&& (found.reason() == FailureReason.TLS || found.reason() == FailureReason.PRODUCER_FATAL);
			if (found == null || !hopeless) {
				return Probe.unknown();
			}
			this.evidence.found(found.reason(), since, this.clock.getAsLong());
			return Probe.refused(found);
		}
		Probe<Diagnosis> probe = peek(client, topic);
		AuthenticationException tls = (probe.partitions() == 0) ? this.evidence.standingTlsFailureSince(since) : null;
		if (tls != null) {
			Diagnosis found = Diagnoser.classify(tls);
			this.evidence.found(found.reason(), since, this.clock.getAsLong());
			return Probe.refused(found);
		}
		boolean stale = probe.refusal() != null && !this.evidence.answeredSince(since);
		if (probe.partitions() > 0 && client.isSpoiled()) {
			this.replacement.request(client, FailureReason.AUTHENTICATION);
			return Probe.unknown();
		}
		if (probe.partitions() > 0) {
			this.known = new Known(client, topic, probe.partitions(), this.clock.getAsLong() + KNOWN);
		}
		if (stale) {
			return Probe.unknown();
		}
		return (probe.confirmed() && !this.evidence.answersSince(since, this.clock.getAsLong()))
				? new Probe<>(probe.partitions(), probe.refusal(), false) : probe;
	}

	/** What is left of the client's memory, and who waits for it. */
	ClientMemory memory() {
		return this.memory;
	}

	@Override
	public boolean hasAnswered() {
		return this.evidence.hasAnswered();
	}

	private Probe<Diagnosis> peek(Client<K, V> client, String topic) {
		try {
			int partitions = client.producer().partitionsFor(topic).size();
			if (partitions > 0) {
				this.said.forget(topic);
				return Probe.<Diagnosis>known(partitions).asConfirmed();
			}
			return Probe.<Diagnosis>unknown().asConfirmed();
		}
		catch (AuthenticationException ex) {
			refused(client, ex);
			return Probe.unknown();
		}
		catch (KafkaException ex) {
			this.said.note(topic, ex);
			this.evidence.look(client.producer());
			Throwable said = (ex instanceof TimeoutException && ex.getCause() != null) ? ex.getCause() : ex;
			boolean refusal = said instanceof TopicAuthorizationException || said instanceof InvalidTopicException;
			if (refusal) {
				return Probe.refused(Diagnoser.classify(said));
			}
			// A topic that has no leader yet is known to the brokers.
			boolean unknown = said instanceof UnknownTopicOrPartitionException || said instanceof TimeoutException;
			return unknown ? Probe.<Diagnosis>unknown().asConfirmed() : Probe.unknown();
		}
		catch (IllegalStateException ex) {
			return Probe.unknown();
		}
	}

	private void refused(Client<K, V> client, AuthenticationException exception) {
		client.refused();
		this.evidence.refused(exception, this.clock.getAsLong());
	}

	@Override
	public HandOver handOver(PendingSend<K, V> send) {
		Client<K, V> client = this.life.current();
		if (client == null) {
			return HandOver.NO_METADATA;
		}
		Prepared<K, V> prepared = send.prepared();
		if (prepared == null) {
			// It has ended, and the line does not know yet.
			return HandOver.DONE;
		}
		long share = this.memory.isScarce() ? this.memory.claim(client.producer()) : 0;
		if (share < 0) {
			// The client would say so with an exception.
			return HandOver.NO_MEMORY;
		}
		try {
			// A copy: wrappers of the client add headers, and the client closes the list.
			return offer(client, send, prepared, copy(send.record()), this.clock.getAsLong());
		}
		finally {
			this.memory.release(share);
		}
	}

	private static <K, V> ProducerRecord<K, V> copy(ProducerRecord<K, V> record) {
		return new ProducerRecord<>(record.topic(), record.partition(), record.timestamp(), record.key(),
				record.value(), record.headers());
	}

	/**
	 * Give a taken record to the client.
	 * @param client the client
	 * @param send the send
	 * @param prepared what is known of it, and what the client's call will find out;
	 * {@code null} only if that call runs no code of the user
	 * @param record the record, or a copy of it
	 * @param now the time
	 */
	HandOver offer(Client<K, V> client, PendingSend<K, V> send, @Nullable Prepared<K, V> prepared,
			ProducerRecord<K, V> record, long now) {
		send.handing();
		client.inFlight().add(send, now);
		Throwable thrown = (prepared != null) ? callWatched(client, send, prepared, record)
				: call(client, send, record);
		Exception answer = send.handed(thrown != null);
		if (thrown != null) {
			Throwable said = (prepared != null && this.userCode.isWrapping()) ? prepared.saidByClient(thrown) : thrown;
			return (said != null) ? thrown(client, send, said)
					: thrownByWrapper(send, thrown, prepared != null && prepared.isPassedToClient() && answer == null);
		}
		if (answer != null) {
			this.known = null;
			return answered(client, send, answer);
		}
		return HandOver.DONE;
	}

	/**
	 * Null if the client has not thrown; an Error of a wrapper must not cost the record.
	 */
	private static <K, V> @Nullable Throwable call(Client<K, V> client, PendingSend<K, V> send,
			ProducerRecord<K, V> record) {
		try {
			client.producer().send(record, send);
			return null;
		}
		catch (RuntimeException | Error ex) {
			return ex;
		}
	}

	/** The same when code of the user may run: it may send and flush, too. */
	private @Nullable Throwable callWatched(Client<K, V> client, PendingSend<K, V> send, Prepared<K, V> prepared,
			ProducerRecord<K, V> record) {
		OpenSends.Frames frames = send.frames();
		frames.enter(send);
		Prepared<?, ?> outer = this.userCode.offering(prepared);
		try {
			return call(client, send, record);
		}
		finally {
			this.userCode.offering(outer);
			frames.exit();
		}
	}

	/** The client reported a failure before it took the record. */
	private HandOver answered(Client<K, V> client, PendingSend<K, V> send, Exception answer) {
		if (answer instanceof BufferExhaustedException) {
			this.memory.ranOut(client.producer());
			return HandOver.NO_MEMORY;
		}
		if (answer instanceof AuthenticationException refusal) {
			refused(client, refusal);
			return HandOver.NO_METADATA;
		}
		// A refused topic may be an old answer: the line looks again, with fresh eyes.
		if (answer instanceof TimeoutException || answer instanceof TopicAuthorizationException) {
			this.said.note(send.topic(), answer);
			return HandOver.NO_METADATA;
		}
		Diagnosis found = Diagnoser.classify(answer);
		if (Diagnoser.isRefusal(found.reason())) {
			send.failLocally(found, 1);
		}
		else {
			// The client may have looked at its own state after it had taken the record.
			send.failDelivery(found, true);
		}
		return HandOver.DONE;
	}

	/** As if it had thrown in the caller's face: what it says is about this record. */
	private static HandOver thrownByWrapper(PendingSend<?, ?> send, Throwable thrown, boolean passed) {
		Diagnosis found = (thrown instanceof SerializationException || thrown instanceof UserCodeException)
				? Diagnoser.classify(thrown)
				: new Diagnosis(FailureReason.UNKNOWN, "a wrapper of the client threw", thrown);
		if (passed) {
			send.failDelivery(found, true);
		}
		else {
			send.failLocally(found, 1);
		}
		return HandOver.DONE;
	}

	private HandOver thrown(Client<K, V> client, PendingSend<K, V> send, Throwable thrown) {
		if (thrown instanceof InterruptException) {
			return HandOver.NO_MEMORY;
		}
		if (Diagnoser.saysClosed(thrown) && this.life.isClosed()) {
			send.failLocally(new Diagnosis(FailureReason.CLOSED, "the client was closed", thrown), 1);
		}
		else if (this.life.current() != client && Diagnoser.saysClosed(thrown)) {
			// It was closed to be replaced, after the sender had looked: wait for the
			// next.
			return HandOver.NO_METADATA;
		}
		else if (Diagnoser.isFatal(thrown)) {
			// The client may have taken the record before it noticed its own state.
			Diagnosis found = Diagnoser.classifyThrown(thrown);
			send.failDelivery(found, true);
			this.replacement.request(client, found.reason());
		}
		else if (thrown instanceof Error) {
			send.failDelivery(new Diagnosis(FailureReason.UNKNOWN, "the client threw an error", thrown), true);
		}
		else {
			send.failLocally(Diagnoser.classify(thrown), 1);
		}
		return HandOver.DONE;
	}

	@Override
	public Diagnosis diagnose(String topic, int partition, long since, Obstacle obstacle) {
		Diagnosis found = explain(topic, partition, since, obstacle);
		this.evidence.found(found.reason(), since, this.clock.getAsLong());
		return found;
	}

	@Override
	public Obstacle obstacle(Obstacle seen, long since) {
		return (seen == Obstacle.METADATA && this.life.replacedSince(since) != null) ? Obstacle.REPLACEMENT : seen;
	}

	/** Why a line gets nowhere; only looks, and remembers nothing. */
	Diagnosis explain(String topic, int partition, long since, Obstacle seen) {
		Diagnosis construction = this.evidence.construction();
		if (this.life.current() == null && construction != null) {
			return construction;
		}
		Obstacle obstacle = obstacle(seen, since);
		FailureReason replaced = this.life.replacedSince(since);
		if (obstacle == Obstacle.REPLACEMENT && replaced != null && !this.evidence.answeredSince(since)) {
			return new Diagnosis(replaced, "the client was replaced, and the next one has had no answer yet", null);
		}
		if (obstacle == Obstacle.HAND_OVER) {
			return new Diagnosis(FailureReason.UNKNOWN,
					"the hand-over of an earlier record has not returned: a partitioner, or a wrapper of the client",
					null);
		}
		if (obstacle == Obstacle.MEMORY) {
			return new Diagnosis(FailureReason.BUFFER_FULL, "the client's buffer.memory is used up", null);
		}
		Client<K, V> client = this.life.current();
		Diagnosis found = this.evidence.explain(partition, since, this.clock.getAsLong(),
				(client != null) ? client.producer() : null);
		return (found.reason() == FailureReason.TOPIC_NOT_FOUND)
				? new Diagnosis(found.reason(), found.detail(), missing(client, topic)) : found;
	}

	/** What the client has last said of a topic that it does not find, if anything. */
	@Nullable Exception said(String topic) {
		return this.said.missing(topic);
	}

	/** What the client has said of a topic that is not there. */
	private @Nullable Exception missing(@Nullable Client<K, V> client, String topic) {
		Exception known = this.said.missing(topic);
		if (known == null && client != null) {
			// The answer may have come after the last look.
			look(client, topic, this.clock.getAsLong());
			known = this.said.missing(topic);
		}
		return known;
	}

	/** A topic that was known a moment ago. */
	private record Known(Object client, String topic, int partitions, long until) {

	}

	/**
	 * Asks for another client.
	 */
	interface ReplacementRequest<K, V> {

		/** The client cannot go on. */
		void request(Client<K, V> client, FailureReason cause);

	}

}
