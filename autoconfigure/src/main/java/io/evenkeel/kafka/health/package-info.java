/**
 * Health of listeners and producers, told from what they know already: no network call.
 */
@NullMarked
package io.evenkeel.kafka.health;

import org.jspecify.annotations.NullMarked;
