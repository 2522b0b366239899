/**
 * An order service as a user would write one, and the story it plays on start.
 */
@NullMarked
package io.evenkeel.samples.orders;

import org.jspecify.annotations.NullMarked;
