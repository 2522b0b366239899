package io.evenkeel.kafka.engine.dispatch;

import java.util.function.Consumer;

import org.jspecify.annotations.Nullable;

/**
 * The runs of one assignment that hold a slot, linked through themselves: one is added
 * and removed for nearly each record of an ordering by key, so it must cost nothing.
 * Under the dispatcher's lock.
 *
 * @param <R> the type of the record
 */
final class Runs<R> {

	private @Nullable Run<R> first;

	void add(Run<R> run) {
		Run<R> second = this.first;
		run.next = second;
		if (second != null) {
			second.previous = run;
		}
		this.first = run;
	}

	void remove(Run<R> run) {
		Run<R> before = run.previous;
		Run<R> after = run.next;
		if (before != null) {
			before.next = after;
		}
		else {
			this.first = after;
		}
		if (after != null) {
			after.previous = before;
		}
		run.previous = null;
		run.next = null;
	}

	void forEach(Consumer<Run<R>> action) {
		for (Run<R> run = this.first; run != null; run = run.next) {
			action.accept(run);
		}
	}

}
