package io.evenkeel.samples.adopted;

/**
 * A parcel has arrived.
 *
 * @param parcel the parcel's number
 */
public record Delivery(String parcel) {

}
