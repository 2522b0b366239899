/**
 * Meters. Apart from health and the endpoint, the only user of micrometer-core.
 */
@NullMarked
package io.evenkeel.kafka.metrics;

import org.jspecify.annotations.NullMarked;
