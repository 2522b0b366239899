package io.evenkeel.samples.orders;

import org.springframework.kafka.annotation.KafkaHandler;
import org.springframework.kafka.annotation.KafkaListener;
import org.springframework.stereotype.Component;

/**
 * Handles the events of the orders topic. Nothing here knows what runs the listener.
 */
@Component
@KafkaListener(id = "orders", topics = OrderPublisher.TOPIC, idIsGroup = false)
class OrderListener {

	private final Ledger ledger;

	private final DemoProperties demo;

	OrderListener(Ledger ledger, DemoProperties demo) {
		this.ledger = ledger;
		this.demo = demo;
	}

	@KafkaHandler
	void placed(OrderPlaced order) throws InterruptedException {
		handle(order);
	}

	@KafkaHandler
	void cancelled(OrderCancelled cancellation) throws InterruptedException {
		handle(cancellation);
	}

	private void handle(OrderEvent event) throws InterruptedException {
		if (!event.run().equals(this.demo.run())) {
			return; // left in the topic by an earlier run
		}
		try (Ledger.Call call = this.ledger.begin(this.demo.member(), event)) {
			Thread.sleep(this.demo.handlerMillis()); // stands for the work
			call.completed();
		}
	}

}
