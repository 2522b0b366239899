package io.evenkeel.kafka.engine.dispatch;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;

/**
 * Records of one assignment whose calls have returned and that wait for an
 * acknowledgment, in offset order. It belongs to the assignment, so nothing of it
 * outlives a rebalance.
 *
 * <h2>Threading</h2> Any thread; its own monitor guards it, and nothing is called under
 * it.
 *
 * @param <R> the type of the record
 */
public final class Unacknowledged<R> {

	private final ArrayDeque<Waiting<R>> waiting = new ArrayDeque<>();

	/**
	 * A call has returned: keep its records that have not ended.
	 * @param call the call
	 */
	public synchronized void add(Call<R> call) {
		for (int i = 0; i < call.size(); i++) {
			Delivery<R> delivery = call.delivery(i);
			if (!delivery.isEnded()) {
				this.waiting.addLast(new Waiting<>(call, delivery));
			}
		}
	}

	/**
	 * End the waiting records up to an offset, in order.
	 * @param offset the highest one covered
	 */
	public void endUpTo(long offset) {
		for (Waiting<R> covered : takeUpTo(offset)) {
			covered.call.end(covered.delivery, Outcome.SUCCESS);
		}
	}

	private synchronized List<Waiting<R>> takeUpTo(long offset) {
		List<Waiting<R>> covered = new ArrayList<>();
		Waiting<R> first = this.waiting.peekFirst();
		while (first != null && first.delivery.offset() <= offset) {
			covered.add(this.waiting.removeFirst());
			first = this.waiting.peekFirst();
		}
		return covered;
	}

	private record Waiting<R>(Call<R> call, Delivery<R> delivery) {
	}

}
