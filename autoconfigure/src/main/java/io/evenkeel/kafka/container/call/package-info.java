/**
 * One call of a listener, from a record to its answer: the listener, what is around it
 * (headers, observation, timer, scope), its acknowledgment, and the consumer that it
 * sees.
 *
 * <p>
 * Internal: types are public for the other parts of the container only.
 */
@NullMarked
package io.evenkeel.kafka.container.call;

import org.jspecify.annotations.NullMarked;
