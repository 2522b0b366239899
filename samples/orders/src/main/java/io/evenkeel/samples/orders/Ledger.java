package io.evenkeel.samples.orders;

import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/**
 * What really happened: each send, and each handler call of all members in the order in
 * which they began and ended. Threads: any; one lock guards everything.
 */
class Ledger extends Watched {

	private final Set<String> acknowledged = new HashSet<>();

	private final Map<String, Integer> completedCalls = new HashMap<>();

	private final Map<String, Customer> customers = new HashMap<>();

	private final Map<String, Integer> completedByMember = new HashMap<>();

	private Duration longestCallerBlock = Duration.ZERO;

	private int sending;

	private int callsInHand;

	private int orderViolations;

	/**
	 * An event is about to be handed over.
	 */
	synchronized void sending() {
		this.sending++;
	}

	/**
	 * A send came to its end.
	 * @param event the event
	 * @param success whether the cluster has it
	 */
	synchronized void sent(OrderEvent event, boolean success) {
		this.sending--;
		if (success) {
			this.acknowledged.add(event.id());
		}
		changed();
	}

	/**
	 * A call of {@code send} has returned.
	 * @param time how long it held its caller
	 */
	synchronized void callerHeld(Duration time) {
		if (time.compareTo(this.longestCallerBlock) > 0) {
			this.longestCallerBlock = time;
		}
	}

	/**
	 * A handler call begins. It breaks the order if another call for the customer has not
	 * ended, or if a later event of the customer has been handled already.
	 * @param member who handles the event
	 * @param event the event
	 * @return the call, to be closed when it ends
	 */
	synchronized Call begin(String member, OrderEvent event) {
		Customer customer = this.customers.computeIfAbsent(event.customer(), (name) -> new Customer());
		if (customer.callsInHand > 0 || event.sequence() < customer.highestHandled) {
			this.orderViolations++;
		}
		customer.callsInHand++;
		this.callsInHand++;
		return new Call(member, event, customer);
	}

	private synchronized void end(Call call) {
		call.customer.callsInHand--;
		this.callsInHand--;
		if (call.completed) {
			OrderEvent event = call.event;
			call.customer.highestHandled = Math.max(call.customer.highestHandled, event.sequence());
			this.completedCalls.merge(event.id(), 1, Integer::sum);
			this.completedByMember.merge(call.member, 1, Integer::sum);
		}
		changed();
	}

	/**
	 * How many calls a member has completed.
	 * @param member the member's name
	 * @return the number of calls
	 */
	synchronized int completedBy(String member) {
		return this.completedByMember.getOrDefault(member, 0);
	}

	/**
	 * How many events the cluster has acknowledged.
	 * @return the number of events
	 */
	synchronized int acknowledged() {
		return this.acknowledged.size();
	}

	/**
	 * Whether nothing is on its way: each send has ended, each acknowledged event is
	 * handled, and no call runs.
	 * @return whether all is done
	 */
	synchronized boolean settled() {
		return this.sending == 0 && this.callsInHand == 0 && lost() == 0;
	}

	/**
	 * Count what has happened so far.
	 * @param rebalances how often the group was rebalanced
	 * @return the counts
	 */
	synchronized Summary summary(int rebalances) {
		int duplicates = (int) this.completedCalls.values().stream().filter((calls) -> calls > 1).count();
		return new Summary(this.acknowledged.size(), this.completedCalls.size(), lost(), duplicates,
				this.orderViolations, this.longestCallerBlock.toMillis(), rebalances);
	}

	private int lost() {
		return (int) this.acknowledged.stream().filter((id) -> !this.completedCalls.containsKey(id)).count();
	}

	private static final class Customer {

		private int callsInHand;

		private long highestHandled;

	}

	/**
	 * One handler call.
	 */
	final class Call implements AutoCloseable {

		private final String member;

		private final OrderEvent event;

		private final Customer customer;

		private boolean completed;

		private Call(String member, OrderEvent event, Customer customer) {
			this.member = member;
			this.event = event;
			this.customer = customer;
		}

		/**
		 * The handler has done its work: without this the call counts as failed.
		 */
		void completed() {
			this.completed = true;
		}

		@Override
		public void close() {
			end(this);
		}

	}

}
