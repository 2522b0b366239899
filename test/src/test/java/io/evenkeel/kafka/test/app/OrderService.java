package io.evenkeel.kafka.test.app;

import org.springframework.kafka.support.Acknowledgment;
import org.springframework.stereotype.Service;

/**
 * What a slice leaves out.
 */
@Service
public class OrderService {

	/**
	 * Place an order.
	 * @param order the order
	 */
	public void place(Order order) {
	}

	/**
	 * Take note of a payment.
	 * @param payment the payment
	 * @param acknowledgment to be called when that is done
	 */
	public void paid(String payment, Acknowledgment acknowledgment) {
		acknowledgment.acknowledge();
	}

}
