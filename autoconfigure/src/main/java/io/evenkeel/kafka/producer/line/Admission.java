package io.evenkeel.kafka.producer.line;

import org.jspecify.annotations.Nullable;

/**
 * A line's answer to a sender who wants to join.
 *
 * @param first whether the record is the line's head
 * @param gone whether the line has retired
 * @param refusal why the record may not wait
 * @param <C> the type of a cause
 */
record Admission<C>(boolean first, boolean gone, @Nullable LineEnd<C> refusal) {

	static <C> Admission<C> joined(boolean first) {
		return new Admission<>(first, false, null);
	}

	static <C> Admission<C> retired() {
		return new Admission<>(false, true, null);
	}

	static <C> Admission<C> refused(LineEnd<C> end) {
		return new Admission<>(false, false, end);
	}

}
