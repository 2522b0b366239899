/**
 * Side-by-side measurements: arms alternate in one run, and what counts are the ratios.
 */
package io.evenkeel.benchmarks;
