/**
 * A parcel service in the shape that tutorials of spring-kafka teach: JSON records,
 * manual acknowledgment, typed handlers, a template. Nothing in it was written for
 * Evenkeel.
 */
package io.evenkeel.samples.adopted;
