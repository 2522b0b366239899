/**
 * Stores invoices, on whichever container.
 */
@NullMarked
package io.evenkeel.samples.migrating;

import org.jspecify.annotations.NullMarked;
