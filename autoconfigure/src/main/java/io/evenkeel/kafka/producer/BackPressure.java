package io.evenkeel.kafka.producer;

import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

import io.evenkeel.kafka.producer.ProducerSettings.WhenFull;
import io.evenkeel.kafka.producer.line.HeldCallers;
import io.evenkeel.kafka.producer.line.LineEnd;
import io.evenkeel.kafka.producer.line.Lines;
import org.apache.commons.logging.Log;
import org.apache.commons.logging.LogFactory;
import org.apache.kafka.common.errors.InterruptException;

/**
 * Holds senders for whose records there is no room, in the waiting lines or in the
 * client's memory, as the stock client does: loops that ignore their futures live on it.
 * <p>
 * <b>Threading.</b> The sender's thread; nothing is locked while it waits. <b>Why.</b>
 * The first of those that are held looks from time to time, and at once when a line has
 * moved: the client tells of a record before it frees its memory, so an event would come
 * too early, and a thousand looks in a second are enough for any buffer.
 */
final class BackPressure<K, V> {

	/** The claim of a sender whose record has failed. */
	static final long FAILED = -1;

	private static final Log logger = LogFactory.getLog(BackPressure.class);

	private static final long FIRST_LOOK = TimeUnit.MILLISECONDS.toNanos(1);

	private static final long LAST_LOOK = TimeUnit.MILLISECONDS.toNanos(20);

	private static final long LOOK_OF_OTHERS = TimeUnit.MILLISECONDS.toNanos(50);

	/** After so long somebody should know what is waited for. */
	private static final long SLOW = TimeUnit.SECONDS.toNanos(3);

	private static final Diagnosis NO_PLACE = new Diagnosis(FailureReason.BUFFER_FULL,
			"too many records or bytes wait already", null);

	private static final Diagnosis NO_MEMORY = new Diagnosis(FailureReason.BUFFER_FULL,
			"the client's buffer.memory is used up", null);

	private final String id;

	private final ProducerSettings settings;

	private final Failures failures;

	private final LongSupplier clock;

	private final ClientLife<K, V> life;

	private final ClientGate<K, V> gate;

	private final Lines<Diagnosis, PendingSend<K, V>> lines;

	BackPressure(String id, ProducerSettings settings, Failures failures, LongSupplier clock, ClientLife<K, V> life,
			ClientGate<K, V> gate, Lines<Diagnosis, PendingSend<K, V>> lines) {
		this.id = id;
		this.settings = settings;
		this.failures = failures;
		this.clock = clock;
		this.life = life;
		this.gate = gate;
		this.lines = lines;
	}

	private boolean mayHold() {
		return this.settings.bufferWhenFull() == WhenFull.WAIT && CallerThreads.mayBeHeld();
	}

	/**
	 * Memory is scarce: take a share of it, as soon as there is one.
	 * @param send the send
	 * @return the share, which may be 0, or {@link #FAILED}
	 */
	long claim(PendingSend<K, V> send) {
		HeldCallers held = this.gate.memory().held();
		long share = (held.isEmpty() || !mayHold()) ? claim() : ClientMemory.NONE;
		if (share != ClientMemory.NONE) {
			return share;
		}
		if (!mayHold()) {
			send.failFull(NO_MEMORY, false);
			return FAILED;
		}
		long[] claimed = { FAILED };
		hold(held, send, NO_MEMORY, (first) -> {
			claimed[0] = first ? claim() : ClientMemory.NONE;
			return claimed[0] != ClientMemory.NONE;
		});
		return claimed[0];
	}

	private long claim() {
		Client<K, V> client = this.life.current();
		if (client == null || !this.gate.memory().isScarce()) {
			return 0;
		}
		// Those in a line have waited for longer.
		return this.lines.isShortOfMemory() ? ClientMemory.NONE : this.gate.memory().claim(client.producer());
	}

	/**
	 * Let a record wait in its line, as soon as there is room for it.
	 * @param send the record
	 * @param partitionMissing whether its topic is known and only the partition is not
	 */
	void join(PendingSend<K, V> send, boolean partitionMissing) {
		HeldCallers held = this.lines.held();
		if (send.bytes() > this.settings.bufferMaxBytes()) {
			// There will never be room for it.
			send.fail(new LineEnd<>(LineEnd.Kind.BUFFER_FULL, null, 0));
			return;
		}
		if (held.isEmpty() || !mayHold()) {
			LineEnd<Diagnosis> refusal = this.lines.join(send, partitionMissing);
			if (refusal == null) {
				return;
			}
			if (refusal.kind() != LineEnd.Kind.BUFFER_FULL || !mayHold()) {
				send.fail(refusal);
				return;
			}
		}
		hold(held, send, NO_PLACE, (first) -> {
			// Another topic's trouble must not hold one that is ready: it only passes.
			boolean passes = !first && isReady(send);
			LineEnd<Diagnosis> refusal = null;
			if (passes) {
				refusal = this.lines.joinBeyond(send, partitionMissing);
			}
			else if (first) {
				refusal = this.lines.join(send, partitionMissing);
			}
			boolean full = refusal != null && refusal.kind() == LineEnd.Kind.BUFFER_FULL;
			if (refusal != null && !full) {
				send.fail(refusal);
			}
			return (first || passes) && !full;
		});
	}

	private boolean isReady(PendingSend<K, V> send) {
		Client<K, V> client = this.life.current();
		return client != null && !this.lines.mustWait(send.topic(), send.partition())
				&& this.gate.look(client, send.topic(), this.clock.getAsLong()) > Math.max(0, send.partition());
	}

	/**
	 * Hold the caller; when this returns without having made room, the send has failed.
	 */
	private void hold(HeldCallers callers, PendingSend<K, V> send, Diagnosis obstacle, Room room) {
		long deadline = send.startedAt() + this.settings.topic(send.topic()).metadataTimeout().toNanos();
		long look = FIRST_LOOK;
		try (HeldCallers.Ticket ticket = callers.enter()) {
			while (!room.taken(ticket.isFirst())) {
				long now = this.clock.getAsLong();
				if (this.lines.isClosed()) {
					send.fail(new LineEnd<>(LineEnd.Kind.CLOSED, null, 0));
					return;
				}
				if (now - deadline >= 0) {
					send.failFull(obstacle, true);
					return;
				}
				if (Thread.currentThread().isInterrupted()) {
					// As with the stock client the flag stays; but nothing is thrown.
					send.failFull(new Diagnosis(FailureReason.BUFFER_FULL,
							"the sender was interrupted while it waited for room: " + obstacle.detail(),
							new InterruptException("Interrupted while waiting for room")), false);
					return;
				}
				if (now - send.startedAt() > SLOW && callers.becomesSlow()) {
					logger.warn(this.id + ": "
							+ this.failures.waiting(send.topic(), obstacle, now - send.startedAt(), now));
				}
				ticket.await(Math.min(deadline - now, ticket.isFirst() ? look : LOOK_OF_OTHERS));
				look = Math.min(2 * look, LAST_LOOK);
			}
		}
	}

	/**
	 * Takes the room for a record.
	 */
	@FunctionalInterface
	private interface Room {

		/**
		 * Take it if there is any, or end the record.
		 * @param first whether nobody has been held for longer
		 * @return whether the caller may go on
		 */
		boolean taken(boolean first);

	}

}
