package io.evenkeel.kafka.container;

/**
 * Which container runs the listeners of a test: what spring-kafka publishes must hold
 * under both.
 */
enum Engine {

	EVENKEEL, SPRING;

	String property() {
		return "evenkeel.kafka.consumer.enabled=" + (this == EVENKEEL);
	}

}
