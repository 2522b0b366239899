package io.evenkeel.samples.adopted;

/**
 * What the recipient is told.
 *
 * @param parcel the parcel's number
 * @param text the message
 */
public record Notice(String parcel, String text) {

}
