/**
 * The sending side: a producer that never holds its caller, the template over it, and
 * what a failed send tells. Internal unless a type's documentation says otherwise.
 */
@NullMarked
package io.evenkeel.kafka.producer;

import org.jspecify.annotations.NullMarked;
