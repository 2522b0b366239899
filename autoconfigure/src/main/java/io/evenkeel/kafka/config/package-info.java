/**
 * Settings that cannot be: what they are called, and why they are refused.
 */
@NullMarked
package io.evenkeel.kafka.config;

import org.jspecify.annotations.NullMarked;
