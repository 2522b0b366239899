/**
 * Auto-configuration of Evenkeel for Spring Boot: it turns properties and beans into the
 * consumer container and the sending producer.
 */
@NullMarked
package io.evenkeel.kafka.autoconfigure;

import org.jspecify.annotations.NullMarked;
