package io.evenkeel.kafka.engine.dispatch;

import java.util.ArrayList;
import java.util.List;

/**
 * Counts what becomes of the records of each assignment: the only class that changes an
 * {@link Account}. It also knows whose account has changed, so that the owner looks at
 * those and not at all that are assigned.
 *
 * <h2>Threading</h2> Under the dispatcher's lock.
 *
 * <h2>Invariants</h2>
 * <ol>
 * <li>Each record submitted is queued, in hand, dropped or gone, and one of them
 * only.</li>
 * <li>{@code bytes} is the size of what is queued or in hand, until the assignment
 * stops.</li>
 * <li>An assignment is in the list of the changed ones exactly while its account is
 * marked.</li>
 * </ol>
 *
 * @param <R> the type of the record
 */
final class Ledger<R> {

	private static final long NEVER = -1;

	private final Runnable low;

	private List<Assignment<R>> changed = new ArrayList<>();

	/** What is queued or in hand, over all assignments. */
	private long held;

	/** Somebody is told once no more than this is held. */
	private long tellAt = NEVER;

	/**
	 * Make a ledger.
	 * @param low told what {@link #tellAt} asks for; under the dispatcher's lock
	 */
	Ledger(Runnable low) {
		this.low = low;
	}

	/**
	 * Tell when little is held: once, at once if it is so already.
	 * @param mark how many records, 0 or more
	 */
	void tellAt(long mark) {
		this.tellAt = mark;
		less(0);
	}

	private void less(int records) {
		this.held -= records;
		if (this.held <= this.tellAt) {
			this.tellAt = NEVER;
			this.low.run();
		}
	}

	/** Records wait in the lane of a new delivery. */
	void submitted(Delivery<R> delivery) {
		Account account = account(delivery.assignment());
		this.held++;
		account.submitted++;
		account.queued++;
		account.bytes += delivery.bytes();
	}

	/** A queued record had been acknowledged from outside. */
	void gone(Delivery<R> delivery) {
		Account account = account(delivery.assignment());
		account.queued--;
		account.gone++;
		account.bytes -= delivery.bytes();
		less(1);
	}

	/** A worker has taken a run. */
	void taken(Run<R> run) {
		Account account = account(run.assignment());
		account.queued -= run.size();
		account.inHand += run.size();
		account.inFlight += run.inFlight();
	}

	/** Records of a run that were not begun are queued again. */
	void putBack(Run<R> run, int records) {
		Account account = account(run.assignment());
		account.inHand -= records;
		account.queued += records;
	}

	/** Records of a run that were not begun are given up. */
	void dropped(Run<R> run, int records) {
		Account account = account(run.assignment());
		account.inHand -= records;
		account.dropped += records;
		less(records);
	}

	/** The last call of a run is over. */
	void freed(Run<R> run) {
		Account account = account(run.assignment());
		int begun = run.size() - run.rest();
		account.inHand -= begun;
		account.inFlight -= run.inFlight();
		account.gone += begun;
		account.bytes -= run.bytesBegun();
		less(begun);
	}

	/** Records whose call is over wait for another one. */
	void again(Assignment<R> assignment, List<Delivery<R>> records) {
		Account account = account(assignment);
		this.held += records.size();
		account.gone -= records.size();
		account.queued += records.size();
		for (Delivery<R> delivery : records) {
			account.bytes += delivery.bytes();
		}
	}

	/** Records whose call is over would wait for another one, and are given up. */
	void notAgain(Assignment<R> assignment, int records) {
		Account account = account(assignment);
		account.gone -= records;
		account.dropped += records;
	}

	/** Give up what is queued in a lane. */
	void dropped(Lane<R> lane) {
		Account account = account(lane.assignment());
		int queued = lane.size();
		int unfinished = lane.clear();
		account.queued -= queued;
		account.dropped += unfinished;
		account.gone += queued - unfinished;
		less(queued);
	}

	/** The head of a lane waits for its time. */
	void parked(Assignment<R> assignment) {
		account(assignment).parked++;
	}

	/** The head of a lane waits no longer. */
	void released(Assignment<R> assignment) {
		account(assignment).parked--;
	}

	private Account account(Assignment<R> assignment) {
		Account account = assignment.account();
		if (!account.changed) {
			account.changed = true;
			this.changed.add(assignment);
		}
		return account;
	}

	/**
	 * Note for the owner what the changed assignments hold.
	 * @param room an empty list, kept by the ledger
	 * @return the assignments whose account has changed since the last call
	 */
	List<Assignment<R>> weigh(List<Assignment<R>> room) {
		List<Assignment<R>> taken = this.changed;
		this.changed = room;
		for (Assignment<R> assignment : taken) {
			Account account = assignment.account();
			account.changed = false;
			account.heldRecords = account.queued + account.inHand;
			account.heldBytes = account.bytes;
		}
		return taken;
	}

	/**
	 * The counts of one assignment.
	 */
	static final class Account {

		private int submitted;

		private int queued;

		private int inHand;

		/** Inside a handler call, by the runs that are out. */
		private int inFlight;

		/** Lanes that wait for their time. */
		private int parked;

		private int dropped;

		private int gone;

		private long bytes;

		private boolean changed;

		/** The owner's, as of its last turn. */
		private int heldRecords;

		private long heldBytes;

		int queued() {
			return this.queued;
		}

		int inHand() {
			return this.inHand;
		}

		int heldRecords() {
			return this.heldRecords;
		}

		long heldBytes() {
			return this.heldBytes;
		}

		Dispatcher.Load load() {
			int waiting = this.queued + this.inHand - this.inFlight;
			return new Dispatcher.Load(Math.max(0, waiting - this.parked), this.inHand, this.inFlight, this.parked,
					this.dropped);
		}

		/** Whether each record is in one place, for tests. */
		boolean isBalanced() {
			return this.submitted == this.queued + this.inHand + this.dropped + this.gone && this.queued >= 0
					&& this.inHand >= 0 && this.inFlight >= 0 && this.parked >= 0 && this.dropped >= 0
					&& this.gone >= 0;
		}

	}

}
