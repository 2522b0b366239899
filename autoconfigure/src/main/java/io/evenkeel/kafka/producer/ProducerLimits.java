package io.evenkeel.kafka.producer;

import java.time.Duration;

import org.jspecify.annotations.Nullable;

/**
 * The limits of producers that are still to be made: what their {@code max.block.ms} will
 * be is known only then, and it counts for each topic that has no timeout of its own.
 */
@FunctionalInterface
public interface ProducerLimits {

	/**
	 * The settings of a producer.
	 * @param maxBlock what takes the place of the general metadata timeout, positive;
	 * {@code null} for nothing
	 * @return the settings
	 */
	ProducerSettings settings(@Nullable Duration maxBlock);

}
