/**
 * Tests of listeners and sends without a broker: the application's own container and
 * template run, on clients that the test plays and a clock that it sets.
 */
@NullMarked
package io.evenkeel.kafka.test;

import org.jspecify.annotations.NullMarked;
