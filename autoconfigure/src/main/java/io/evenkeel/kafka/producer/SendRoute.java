package io.evenkeel.kafka.producer;

import io.evenkeel.kafka.producer.PendingSend.Serialized;
import io.evenkeel.kafka.producer.line.HandOver;
import io.evenkeel.kafka.producer.line.LineEnd;
import io.evenkeel.kafka.producer.line.Lines;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.header.internals.RecordHeaders;

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
 */
record SendRoute<K, V>(ClientSpec<K, V> spec, ClientLife<K, V> life, ClientGate<K, V> gate,
		Lines<Diagnosis, PendingSend<K, V>> lines) {

	/**
	 * Take a record.
	 * @param send the record
	 * @return whether the client has it; otherwise it waits or has failed
	 */
	boolean take(PendingSend<K, V> send) {
		Client<K, V> client = this.life.current();
		if (client == null) {
			waitFor(send, false, false);
			return false;
		}
		if (this.lines.mustWait(send.topic(), send.partition())) {
			waitFor(send, false, false);
			int known = this.gate.knows(client, send.topic(), send.startedAt());
			if (known > 0) {
				this.lines.help(send.topic(), known);
			}
			return false;
		}
		int partitions = this.gate.look(client, send.topic(), send.startedAt());
		if (partitions == 0 || send.partition() >= partitions || client.isSpoiled()) {
			waitFor(send, partitions > 0 && send.partition() >= partitions, false);
			return false;
		}
		send.takeUnseen();
		HandOver answer = this.gate.offer(client, send, send.startedAt());
		if (answer == HandOver.DONE) {
			return send.isInFlight();
		}
		if (send.giveBackUnlessEnded()) {
			send.thawHeaders();
			// The client asks for memory after it has serialized, for metadata before.
			waitFor(send, false, answer == HandOver.NO_MEMORY);
		}
		return false;
	}

	private void waitFor(PendingSend<K, V> send, boolean partitionMissing, boolean hasBeenSerialized) {
		if (!TopicNames.isValid(send.topic())) {
			send.failLocally(new Diagnosis(FailureReason.INVALID_TOPIC, "not a valid name for a topic", null), 0);
			return;
		}
		Serialized serialized;
		try {
			serialized = serialize(send.record(), hasBeenSerialized);
		}
		catch (RuntimeException ex) {
			send.failLocally(new Diagnosis(FailureReason.SERIALIZATION, "a serializer failed", ex), 0);
			return;
		}
		if (serialized.size() > this.spec.maxRecordBytes()) {
			send.failLocally(new Diagnosis(FailureReason.RECORD_TOO_LARGE,
					serialized.size() + " bytes, max.request.size or buffer.memory allow " + this.spec.maxRecordBytes(),
					null), 0);
			return;
		}
		send.serialized(serialized);
		LineEnd<Diagnosis> refusal = this.lines.join(send, partitionMissing);
		if (refusal != null) {
			send.fail(refusal);
		}
	}

	/**
	 * Serialize a record.
	 * @param record the record
	 * @param again whether its headers have what the serializers add already
	 */
	private Serialized serialize(ProducerRecord<K, V> record, boolean again) {
		Headers headers = again ? new RecordHeaders(record.headers()) : record.headers();
		byte[] key = HandOverSerializer.serialize(this.spec.keySerializer(), record.topic(), headers, record.key());
		byte[] value = HandOverSerializer.serialize(this.spec.valueSerializer(), record.topic(), headers,
				record.value());
		return new Serialized(key, value, RecordSizes.upperBound(key, value, record.headers().toArray()));
	}

}
