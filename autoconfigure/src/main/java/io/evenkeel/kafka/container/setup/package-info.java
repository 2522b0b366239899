/**
 * What happens at a start: the configuration is looked at and what cannot work refused,
 * and an engine is put together.
 *
 * <p>
 * Internal: types are public for the other parts of the container only.
 */
@NullMarked
package io.evenkeel.kafka.container.setup;

import org.jspecify.annotations.NullMarked;
