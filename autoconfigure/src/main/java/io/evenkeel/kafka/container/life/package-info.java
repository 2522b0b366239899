/**
 * The life of a container: the engine of its last start, how it is started and stopped,
 * what its owner thread tells, and who looks whether that thread still polls.
 *
 * <p>
 * Internal: types are public for the other parts of the container only.
 */
@NullMarked
package io.evenkeel.kafka.container.life;

import org.jspecify.annotations.NullMarked;
