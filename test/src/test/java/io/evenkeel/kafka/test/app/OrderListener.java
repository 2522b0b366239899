package io.evenkeel.kafka.test.app;

import org.springframework.kafka.annotation.KafkaListener;
import org.springframework.kafka.support.Acknowledgment;
import org.springframework.stereotype.Component;

@Component
class OrderListener {

	private final OrderService orders;

	OrderListener(OrderService orders) {
		this.orders = orders;
	}

	@KafkaListener(id = "orders", topics = "orders", concurrency = "4")
	void placed(Order order) {
		this.orders.place(order);
	}

	@KafkaListener(id = "payments", topics = "payments", ackMode = "MANUAL",
			properties = "value.deserializer=org.apache.kafka.common.serialization.StringDeserializer")
	void paid(String payment, Acknowledgment acknowledgment) {
		this.orders.paid(payment, acknowledgment);
	}

}
