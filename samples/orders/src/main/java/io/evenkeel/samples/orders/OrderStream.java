package io.evenkeel.samples.orders;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/**
 * A steady stream of orders, every fifth event a cancellation. Threads: one of its own
 * publishes; the flags are volatile because others set them.
 */
final class OrderStream implements AutoCloseable {

	private static final List<String> ITEMS = List.of("anchor", "compass", "lantern", "rope", "sextant");

	private final OrderPublisher publisher;

	private final DemoProperties demo;

	private final Map<String, OrderPlaced> latest = new HashMap<>();

	private final Thread thread;

	private volatile boolean finishing;

	private volatile boolean closed;

	private OrderStream(OrderPublisher publisher, DemoProperties demo) {
		this.publisher = publisher;
		this.demo = demo;
		this.thread = new Thread(this::publish, "order-stream");
		this.thread.setDaemon(true);
	}

	/**
	 * Start a stream.
	 * @param publisher what it publishes with
	 * @param demo how much and how fast
	 * @return the running stream
	 */
	static OrderStream start(OrderPublisher publisher, DemoProperties demo) {
		OrderStream stream = new OrderStream(publisher, demo);
		stream.thread.start();
		return stream;
	}

	/**
	 * Let the stream end as soon as it has published its number of events, and wait.
	 * @throws InterruptedException if the thread is interrupted
	 */
	void finish() throws InterruptedException {
		this.finishing = true;
		this.thread.join();
	}

	/**
	 * End the stream at once.
	 */
	@Override
	public void close() {
		this.closed = true;
	}

	private void publish() {
		long start = System.nanoTime();
		for (int n = 0; n < this.demo.orders() || !this.finishing; n++) {
			awaitTurn(start + n * TimeUnit.SECONDS.toNanos(1) / this.demo.perSecond());
			if (this.closed) {
				return;
			}
			publish(n);
		}
	}

	private void awaitTurn(long due) {
		for (long left = due - System.nanoTime(); left > 0; left = due - System.nanoTime()) {
			LockSupport.parkNanos(left);
		}
	}

	private void publish(int n) {
		String customer = "customer-%02d".formatted(n % this.demo.customers());
		OrderPlaced order = (n % 5 == 4) ? this.latest.remove(customer) : null;
		if (order != null) {
			this.publisher.cancel(order);
			return;
		}
		this.latest.put(customer, this.publisher.place(customer, ITEMS.get(n % ITEMS.size()), 1 + n % 3).event());
	}

}
