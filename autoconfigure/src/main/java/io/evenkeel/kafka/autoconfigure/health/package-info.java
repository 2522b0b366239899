/**
 * Auto-configuration of health and of the endpoint.
 */
@NullMarked
package io.evenkeel.kafka.autoconfigure.health;

import org.jspecify.annotations.NullMarked;
