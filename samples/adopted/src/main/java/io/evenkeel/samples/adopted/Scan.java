package io.evenkeel.samples.adopted;

/**
 * A parcel was seen on its way.
 *
 * @param parcel the parcel's number
 * @param place where it was seen
 */
public record Scan(String parcel, String place) {

}
