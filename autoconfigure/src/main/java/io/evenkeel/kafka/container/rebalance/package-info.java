/**
 * The side of the application in rebalances: its callbacks, its seeks, and the watches
 * that tell it of idleness, pauses and missing acknowledgments.
 *
 * <p>
 * Internal: types are public for the other parts of the container only.
 */
@NullMarked
package io.evenkeel.kafka.container.rebalance;

import org.jspecify.annotations.NullMarked;
