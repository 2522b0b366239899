package io.evenkeel.samples.adopted;

/**
 * A parcel that somebody sent.
 *
 * @param number its number
 * @param recipient whom it is for
 */
public record Parcel(String number, String recipient) {

}
