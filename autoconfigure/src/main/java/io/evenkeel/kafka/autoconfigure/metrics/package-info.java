/**
 * Auto-configuration of meters.
 */
@NullMarked
package io.evenkeel.kafka.autoconfigure.metrics;

import org.jspecify.annotations.NullMarked;
