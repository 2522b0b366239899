/**
 * How all threads of this project are made. Used by all layers, depends on none.
 */
@NullMarked
package io.evenkeel.kafka.thread;

import org.jspecify.annotations.NullMarked;
