/**
 * What every part of a container knows: the context of its listener, its settings, and
 * how the application is told.
 *
 * <p>
 * Internal: types are public for the other parts of the container only.
 */
@NullMarked
package io.evenkeel.kafka.container.listener;

import org.jspecify.annotations.NullMarked;
