package io.evenkeel.samples.orders;

import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;

import org.springframework.kafka.KafkaException;
import org.springframework.kafka.core.KafkaTemplate;
import org.springframework.stereotype.Component;

/**
 * Publishes what happens to orders. Threads: numbering an event and handing it over is
 * one step under a lock, so that a customer's events reach the topic in the order of
 * their numbers. That is affordable because a send returns at once.
 */
@Component
class OrderPublisher {

	static final String TOPIC = "orders";

	private final KafkaTemplate<String, OrderEvent> template;

	private final Ledger ledger;

	private final String run;

	private final Map<String, Long> sequences = new HashMap<>();

	private int published;

	OrderPublisher(KafkaTemplate<String, OrderEvent> template, Ledger ledger, DemoProperties demo) {
		this.template = template;
		this.ledger = ledger;
		this.run = demo.run();
	}

	/**
	 * Place an order.
	 * @param customer who orders
	 * @param item what is ordered
	 * @param quantity how many of it
	 * @return the event, on its way
	 */
	synchronized Publication<OrderPlaced> place(String customer, String item, int quantity) {
		return publish(new OrderPlaced(this.run, nextId(), customer, nextSequence(customer), item, quantity));
	}

	/**
	 * Cancel an order.
	 * @param order what was placed
	 * @return the event, on its way
	 */
	synchronized Publication<OrderCancelled> cancel(OrderPlaced order) {
		String customer = order.customer();
		return publish(new OrderCancelled(this.run, nextId(), customer, nextSequence(customer), order.id()));
	}

	/**
	 * Send an order to a topic of the caller's choice. It is no event of the orders
	 * topic: nobody waits for its handling.
	 * @param topic where to
	 * @param order what to send
	 * @return the outcome
	 */
	CompletableFuture<?> copyTo(String topic, OrderEvent order) {
		return send(topic, order);
	}

	private <E extends OrderEvent> Publication<E> publish(E event) {
		this.ledger.sending();
		CompletableFuture<E> acknowledgment = send(TOPIC, event)
			.whenComplete((result, failure) -> this.ledger.sent(event, failure == null))
			.thenApply((result) -> event);
		return new Publication<>(event, acknowledgment);
	}

	private CompletableFuture<?> send(String topic, OrderEvent event) {
		long start = System.nanoTime();
		try {
			return this.template.send(topic, event.customer(), event);
		}
		catch (KafkaException ex) {
			// Only with evenkeel.kafka.producer.enabled=false: Boot's template throws.
			return CompletableFuture.failedFuture(ex);
		}
		finally {
			this.ledger.callerHeld(Duration.ofNanos(System.nanoTime() - start));
		}
	}

	private String nextId() {
		return "%s-%05d".formatted(this.run, ++this.published);
	}

	private long nextSequence(String customer) {
		return this.sequences.merge(customer, 1L, Long::sum);
	}

	/**
	 * An event that was handed over.
	 *
	 * @param <E> its type
	 * @param event the event
	 * @param acknowledgment completes with the event once the cluster has it
	 */
	record Publication<E extends OrderEvent>(E event, CompletableFuture<E> acknowledgment) {

	}

}
