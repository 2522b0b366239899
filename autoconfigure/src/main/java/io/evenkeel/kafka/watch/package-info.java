/**
 * Watches listeners from outside: whether they are connected, waiting, stuck or behind.
 * For the endpoint, health and logs.
 */
@NullMarked
package io.evenkeel.kafka.watch;

import org.jspecify.annotations.NullMarked;
