/**
 * Answers names with greetings.
 */
@NullMarked
package io.evenkeel.samples.minimal;

import org.jspecify.annotations.NullMarked;
