/**
 * The smallest application: one listener, one template, and the starter alone.
 */
@NullMarked
package io.evenkeel.samples.plain;

import org.jspecify.annotations.NullMarked;
