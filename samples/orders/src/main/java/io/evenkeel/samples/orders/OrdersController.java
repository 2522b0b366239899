package io.evenkeel.samples.orders;

import java.util.concurrent.CompletableFuture;

import org.springframework.http.HttpStatus;
import org.springframework.http.ProblemDetail;
import org.springframework.http.ResponseEntity;
import org.springframework.util.StringUtils;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RestController;
import org.springframework.web.server.ResponseStatusException;

/**
 * Takes orders over HTTP, and tells what became of all of them.
 */
@RestController
class OrdersController {

	private final OrderPublisher publisher;

	private final Ledger ledger;

	private final Members members;

	OrdersController(OrderPublisher publisher, Ledger ledger, Members members) {
		this.publisher = publisher;
		this.ledger = ledger;
		this.members = members;
	}

	/**
	 * Place an order. No thread waits for the cluster: the response is written once it
	 * has acknowledged, or the send has failed.
	 * @param request the order
	 * @return the event, accepted; or the reason of the failure
	 */
	@PostMapping("/orders")
	CompletableFuture<ResponseEntity<Object>> place(@RequestBody OrderRequest request) {
		request.validate();
		return this.publisher.place(request.customer(), request.item(), request.quantity())
			.acknowledgment()
			.<ResponseEntity<Object>>thenApply((order) -> ResponseEntity.accepted().body(order))
			.exceptionally(OrdersController::unavailable);
	}

	@GetMapping("/summary")
	Summary summary() {
		return this.ledger.summary(this.members.rebalances());
	}

	private static ResponseEntity<Object> unavailable(Throwable failure) {
		HttpStatus status = HttpStatus.SERVICE_UNAVAILABLE;
		return ResponseEntity.status(status).body(ProblemDetail.forStatusAndDetail(status, Failures.reasonOf(failure)));
	}

	/**
	 * An order as a client writes it.
	 *
	 * @param customer who orders
	 * @param item what is ordered
	 * @param quantity how many of it
	 */
	record OrderRequest(String customer, String item, int quantity) {

		private void validate() {
			if (!StringUtils.hasText(this.customer) || !StringUtils.hasText(this.item) || this.quantity < 1) {
				throw new ResponseStatusException(HttpStatus.BAD_REQUEST,
						"An order needs a customer, an item, and a quantity of at least 1");
			}
		}

	}

}
