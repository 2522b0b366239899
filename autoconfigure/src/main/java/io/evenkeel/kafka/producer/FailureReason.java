package io.evenkeel.kafka.producer;

/**
 * Why a send failed. Public API; constants may be added.
 */
public enum FailureReason {

	/** The brokers answered, and none of them knows the topic. */
	TOPIC_NOT_FOUND,

	/** The topic has fewer partitions than the record asks for. */
	PARTITION_NOT_FOUND,

	/** The topic's name is not a valid one. */
	INVALID_TOPIC,

	/** The principal may not do this. */
	NOT_AUTHORIZED,

	/** The brokers refused the credentials. */
	AUTHENTICATION,

	/** The TLS handshake or the key material failed. */
	TLS,

	/** None of the bootstrap servers' names could be resolved. */
	DNS_RESOLUTION,

	/** No broker has answered since the record began to wait. */
	BROKERS_UNREACHABLE,

	/** Too much waits already, in our lines or in the client's memory. */
	BUFFER_FULL,

	/** The topic's wait timed out shortly before. */
	FAIL_FAST,

	/** Not acknowledged in time. */
	DELIVERY_TIMEOUT,

	/** Larger than the client or the topic allows. */
	RECORD_TOO_LARGE,

	/** A serializer failed. */
	SERIALIZATION,

	/** Another producer has taken over the transactional id. */
	FENCED,

	/** The client is in a state that it cannot leave. */
	PRODUCER_FATAL,

	/** The producer was closed. */
	CLOSED,

	/** None of the others. */
	UNKNOWN

}
