/**
 * Dead letters that can be worked with: what there is, sending it again, putting it
 * aside.
 */
@NullMarked
package io.evenkeel.kafka.deadletter;

import org.jspecify.annotations.NullMarked;
