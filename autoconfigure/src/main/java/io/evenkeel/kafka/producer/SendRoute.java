package io.evenkeel.kafka.producer;

import io.evenkeel.kafka.producer.line.HandOver;
import io.evenkeel.kafka.producer.line.Lines;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.jspecify.annotations.Nullable;

/**
 * The way of a record on its sender's thread: to the client at once if its topic is ready
 * and nobody waits for it, otherwise, serialized and checked, into the topic's line.
 * <p>
 * <b>Threading.</b> Any thread. <b>Invariant.</b> A thread's later record never overtakes
 * its earlier one: it goes to the client directly only when no line for its topic exists,
 * and a line exists until its last record was handed over.
 *
 * @param spec the serializers and limits
 * @param life the client
 * @param gate the door to the client
 * @param lines the lines
 * @param pressure holds the sender when there is no room
 */
record SendRoute<K, V>(ClientSpec<K, V> spec, ClientLife<K, V> life, ClientGate<K, V> gate,
		Lines<Diagnosis, PendingSend<K, V>> lines, BackPressure<K, V> pressure) {

	/**
	 * Take a record.
	 * @param send the record
	 * @return whether the client has it; otherwise it waits or has failed
	 */
	boolean take(PendingSend<K, V> send) {
		long share = this.gate.memory().isScarce() ? this.pressure.claim(send) : 0;
		if (share < 0) {
			return false;
		}
		if (share > 0 && this.lines.mustWait(send.topic(), send.partition())) {
			// The line claims for itself.
			this.gate.memory().release(share);
			share = 0;
		}
		Prepared<K, V> refused;
		try {
			refused = pass(send);
		}
		finally {
			this.gate.memory().release(share);
		}
		if (refused == null) {
			return send.isInFlight();
		}
		share = this.pressure.claim(send);
		if (share >= 0) {
			this.gate.memory().release(share);
			waitFor(send, refused, false);
		}
		return false;
	}

	/** To the client or into a line; what there is of it if the client has no memory. */
	private @Nullable Prepared<K, V> pass(PendingSend<K, V> send) {
		Client<K, V> client = this.life.current();
		if (client == null || this.lines.mustWait(send.topic(), send.partition())) {
			waitFor(send, new Prepared<>(send.record()), false);
			return null;
		}
		int partitions = this.gate.look(client, send.topic(), send.startedAt());
		if (partitions == 0 || send.partition() >= partitions || client.isSpoiled()) {
			waitFor(send, new Prepared<>(send.record()), partitions > 0 && send.partition() >= partitions);
			return null;
		}
		send.takeUnseen();
		Prepared<K, V> prepared = client.isSilent() ? null : new Prepared<>(send.record());
		HandOver answer = this.gate.offer(client, send, prepared, send.record(), send.startedAt());
		if (answer == HandOver.DONE || !send.giveBackUnlessEnded()) {
			return null;
		}
		if (prepared == null) {
			prepared = new Prepared<>(send.record());
		}
		if (answer == HandOver.NO_MEMORY) {
			return prepared;
		}
		waitFor(send, prepared, false);
		return null;
	}

	private void waitFor(PendingSend<K, V> send, Prepared<K, V> prepared, boolean partitionMissing) {
		if (!TopicNames.isValid(send.topic())) {
			send.failLocally(new Diagnosis(FailureReason.INVALID_TOPIC, "not a valid name for a topic", null), 0);
			return;
		}
		long size;
		try {
			size = serialize(send, prepared);
		}
		catch (RuntimeException ex) {
			send.failLocally(new Diagnosis(FailureReason.SERIALIZATION, Diagnoser.classify(ex).detail(), ex), 0);
			return;
		}
		if (size > this.spec.maxRecordBytes()) {
			send.failLocally(new Diagnosis(FailureReason.RECORD_TOO_LARGE,
					size + " bytes, max.request.size or buffer.memory allow " + this.spec.maxRecordBytes(), null), 0);
			return;
		}
		send.prepared(prepared, size, System.currentTimeMillis());
		this.pressure.join(send, partitionMissing);
		Client<K, V> client = this.life.current();
		if (client != null && !this.spec.userCode().runsAtHandOver()) {
			int known = this.gate.knows(client, send.topic(), send.startedAt());
			if (known > 0) {
				this.lines.help(send.topic(), known);
			}
		}
	}

	/**
	 * Serialize what the client has not serialized.
	 * @return the size of the record
	 */
	private long serialize(PendingSend<K, V> send, Prepared<K, V> prepared) {
		ProducerRecord<K, V> record = send.record();
		OpenSends.Frames frames = send.frames();
		frames.enter(send);
		try {
			byte[] key = HandOverSerializer.serialize(prepared, this.spec.keySerializer(), true, record.topic(),
					record.headers(), record.key());
			byte[] value = HandOverSerializer.serialize(prepared, this.spec.valueSerializer(), false, record.topic(),
					record.headers(), record.value());
			return RecordSizes.upperBound(key, value, record.headers().toArray());
		}
		finally {
			frames.exit();
		}
	}

}
