/**
 * The actuator endpoint.
 */
@NullMarked
package io.evenkeel.kafka.actuate;

import org.jspecify.annotations.NullMarked;
