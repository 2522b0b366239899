/**
 * A payment service and its tests.
 */
@NullMarked
package io.evenkeel.samples.testing;

import org.jspecify.annotations.NullMarked;
