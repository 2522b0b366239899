/**
 * What is done about calls that fail: recovery and dead letters, transactions, and the
 * error handlers and rollback processors of the application.
 *
 * <p>
 * Internal: types are public for the other parts of the container only.
 */
@NullMarked
package io.evenkeel.kafka.container.failure;

import org.jspecify.annotations.NullMarked;
