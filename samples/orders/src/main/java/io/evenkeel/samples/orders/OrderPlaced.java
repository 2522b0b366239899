package io.evenkeel.samples.orders;

/**
 * A customer ordered something.
 *
 * @param run the run that published the event
 * @param id the id of the event, and of the order
 * @param customer the customer, which is the record's key
 * @param sequence the event's place among those of the customer
 * @param item what was ordered
 * @param quantity how many of it
 */
record OrderPlaced(String run, String id, String customer, long sequence, String item,
		int quantity) implements OrderEvent {

}
