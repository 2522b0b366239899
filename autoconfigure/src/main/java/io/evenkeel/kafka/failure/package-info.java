/**
 * Says in logs why calls of listeners failed, without repeating what their records hold.
 */
@NullMarked
package io.evenkeel.kafka.failure;

import org.jspecify.annotations.NullMarked;
