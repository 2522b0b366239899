package io.evenkeel.samples.orders;

/**
 * What happens to an order. The customer is the record's key; a customer's events are
 * numbered, so that whoever handles them can tell whether they came in order.
 */
sealed interface OrderEvent permits OrderPlaced, OrderCancelled {

	/**
	 * The run of the application that published the event.
	 * @return the run's id
	 */
	String run();

	/**
	 * The event's own id.
	 * @return an id that no other event has
	 */
	String id();

	/**
	 * The customer, which is the record's key.
	 * @return the customer's name
	 */
	String customer();

	/**
	 * The event's place among those of its customer.
	 * @return a number that grows by one with each event
	 */
	long sequence();

}
