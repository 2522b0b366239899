package io.evenkeel.samples.orders;

/**
 * What came of a run.
 *
 * @param sent events that the cluster acknowledged
 * @param handled events that a handler completed
 * @param lost acknowledged events that no handler completed
 * @param duplicates events that were handled more than once
 * @param orderViolations handler calls that overlapped an earlier one of their customer,
 * or came after a later one
 * @param longestCallerBlockMillis the longest time a send held its caller
 * @param rebalances how often the group was rebalanced, its first assignment included
 */
record Summary(int sent, int handled, int lost, int duplicates, int orderViolations, long longestCallerBlockMillis,
		int rebalances) {

	/**
	 * Whether every event was handled exactly once and in order.
	 * @return whether nothing went wrong
	 */
	boolean flawless() {
		return this.lost == 0 && this.duplicates == 0 && this.orderViolations == 0;
	}

	@Override
	public String toString() {
		return """
				sent: %d
				handled: %d
				lost: %d
				duplicates: %d
				order violations: %d
				longest caller block: %d ms
				rebalances: %d""".formatted(this.sent, this.handled, this.lost, this.duplicates, this.orderViolations,
				this.longestCallerBlockMillis, this.rebalances);
	}

}
