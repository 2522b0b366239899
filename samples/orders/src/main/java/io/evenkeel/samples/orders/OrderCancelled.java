package io.evenkeel.samples.orders;

/**
 * A customer changed their mind.
 *
 * @param run the run that published the event
 * @param id the id of the event
 * @param customer the customer, which is the record's key
 * @param sequence the event's place among those of the customer
 * @param order the id of the order that is cancelled
 */
record OrderCancelled(String run, String id, String customer, long sequence, String order) implements OrderEvent {

}
