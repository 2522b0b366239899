/**
 * Moves money between topics, and opens accounts in a database.
 */
@NullMarked
package io.evenkeel.samples.transactions;

import org.jspecify.annotations.NullMarked;
