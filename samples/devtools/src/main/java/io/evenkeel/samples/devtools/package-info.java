/**
 * What a developer runs all day: an application that the developer tools restart in its
 * JVM whenever a class changes.
 */
@NullMarked
package io.evenkeel.samples.devtools;

import org.jspecify.annotations.NullMarked;
