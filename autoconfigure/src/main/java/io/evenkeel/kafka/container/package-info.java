/**
 * The listener container: spring-kafka's container and factory types around the engine,
 * so that annotations, adapters, converters and the registry work unchanged.
 */
@NullMarked
package io.evenkeel.kafka.container;

import org.jspecify.annotations.NullMarked;
