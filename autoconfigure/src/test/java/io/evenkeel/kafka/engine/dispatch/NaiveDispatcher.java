package io.evenkeel.kafka.engine.dispatch;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * What a dispatcher should do, said plainly and slowly, beside the real one: lists of
 * records, searched from the front for each question.
 */
final class NaiveDispatcher {

	final CompletionQueue<String> completions = new CompletionQueue<>();

	final Dispatcher<String> real;

	final List<Part> parts = new ArrayList<>();

	final List<Held> inside = new ArrayList<>();

	final List<Held> detached = new ArrayList<>();

	private final Random random;

	private final boolean batch;

	private final int runLength;

	private int limit;

	private long now = 1000;

	private long nextOffset;

	int ended;

	NaiveDispatcher(Random random) {
		this.random = random;
		int batchSize = (random.nextInt(3) == 0) ? 1 + random.nextInt(4) : 0;
		this.batch = batchSize > 0;
		this.runLength = this.batch ? batchSize : RunScheduler.RUN_LENGTH;
		this.limit = 1 + random.nextInt(4);
		this.real = new Dispatcher<>(this.completions, () -> this.now, this.limit, batchSize);
		for (int i = 0; i < 3; i++) {
			this.parts.add(new Part(new Assignment<>("t", i, i)));
		}
	}

	/** One assignment. */
	static final class Part {

		final Assignment<String> assignment;

		final Map<Object, Line> lines = new LinkedHashMap<>();

		boolean held;

		boolean stopped;

		int dropped;

		Part(Assignment<String> assignment) {
			this.assignment = assignment;
		}

	}

	/** One lane: what waits, and what keeps it from starting. */
	static final class Line {

		final List<Delivery<String>> waiting = new ArrayList<>();

		boolean running;

		long due = -1;

		int repeat;

	}

	/** A run that was taken, and how far its worker has come. */
	static final class Held {

		final Part part;

		final Line line;

		final Run<String> run;

		final List<Delivery<String>> taken;

		Call<String> call;

		int begun;

		Held(Part part, Line line, Run<String> run, List<Delivery<String>> taken) {
			this.part = part;
			this.line = line;
			this.run = run;
			this.taken = taken;
		}

	}

	void step() {
		switch (this.random.nextInt(12)) {
			case 0, 1 -> submit();
			case 2, 3 -> take();
			case 4, 5, 6 -> work();
			case 7 -> answerDetached();
			case 8 -> this.now += this.random.nextInt(50);
			case 9 -> hold();
			case 10 -> changeLimit();
			default -> maybeStop();
		}
		this.completions.drain((delivery) -> {
			this.ended++;
			delivery.assignment().completed(delivery);
		});
		this.parts.forEach((part) -> part.assignment.retireLanes());
		check();
	}

	private void submit() {
		List<Delivery<String>> batch = new ArrayList<>();
		for (int i = this.random.nextInt(6); i >= 0; i--) {
			Part part = this.parts.get(this.random.nextInt(this.parts.size()));
			if (!part.stopped) {
				Object key = (this.random.nextInt(4) == 0) ? null : "k" + this.random.nextInt(3);
				Delivery<String> delivery = part.assignment.begin("r", this.nextOffset++, key, this.now);
				part.lines.computeIfAbsent((key != null) ? key : "", (name) -> new Line()).waiting.add(delivery);
				batch.add(delivery);
			}
		}
		this.real.submit(batch);
	}

	private int used() {
		return this.inside.size() + this.detached.size();
	}

	private boolean isRunnable(Part part, Line line) {
		return !part.held && !part.stopped && !line.running && !line.waiting.isEmpty() && line.due <= this.now;
	}

	private void take() {
		Run<String> run = this.real.exchange(null, false);
		boolean runnable = used() < this.limit && this.parts.stream()
			.anyMatch((part) -> part.lines.values().stream().anyMatch((line) -> isRunnable(part, line)));
		assertThat(run != null).as("work is handed out exactly when there is some").isEqualTo(runnable);
		if (run == null) {
			return;
		}
		Part part = this.parts.get(run.assignment().partition());
		Line line = part.lines.values()
			.stream()
			.filter((candidate) -> !candidate.waiting.isEmpty() && candidate.waiting.get(0).lane() == run.lane())
			.findFirst()
			.orElseThrow();
		assertThat(isRunnable(part, line)).isTrue();
		int size = Math.min(line.waiting.size(), (line.repeat > 0) ? line.repeat : this.runLength);
		List<Delivery<String>> taken = new ArrayList<>(line.waiting.subList(0, size));
		assertThat(run.size()).isEqualTo(size);
		line.waiting.subList(0, size).clear();
		line.running = true;
		line.due = -1;
		line.repeat = 0;
		this.inside.add(new Held(part, line, run, taken));
	}

	/** What a worker does: the next call, its end, or the way back. */
	private void work() {
		if (this.inside.isEmpty()) {
			return;
		}
		Held held = this.inside.get(this.random.nextInt(this.inside.size()));
		if (held.call == null || (held.call.isClosed() && held.call.parkNanos() < 0)) {
			if (!held.run.hasNext() || !held.run.assignment().mayStart() || this.random.nextInt(6) == 0) {
				leave(held);
				return;
			}
			held.call = held.run.next(this.real, 0);
			int from = held.begun;
			held.begun = this.batch ? held.taken.size() : from + 1;
			assertThat(held.call.deliveries()).isEqualTo(held.taken.subList(from, held.begun));
		}
		else if (held.call.isClosed()) {
			leave(held);
		}
		else if (this.random.nextInt(3) == 0) {
			assertThat(held.call.detach()).isTrue();
			leave(held);
		}
		else {
			answer(held);
		}
	}

	private void answer(Held held) {
		switch (this.random.nextInt(4)) {
			case 0 -> held.call.park(this.random.nextInt(40));
			case 1 -> {
				held.call.end(held.call.delivery(), Outcome.SUCCESS);
				held.call.park(this.random.nextInt(40));
			}
			case 2 -> held.call.close();
			default -> held.call.complete(Outcome.SUCCESS);
		}
		assertThat(held.call.complete(Outcome.SUCCESS)).isFalse();
	}

	private void leave(Held held) {
		this.inside.remove(held);
		this.real.give(held.run);
		List<Delivery<String>> rest = held.taken.subList(held.begun, held.taken.size());
		if (held.part.stopped) {
			held.part.dropped += rest.size();
		}
		else {
			held.line.waiting.addAll(0, rest);
		}
		if (held.call != null && !held.call.isClosed()) {
			this.detached.add(held);
		}
		else {
			free(held);
		}
	}

	private void answerDetached() {
		if (!this.detached.isEmpty()) {
			Held held = this.detached.remove(this.random.nextInt(this.detached.size()));
			answer(held);
			free(held);
		}
	}

	private void free(Held held) {
		held.line.running = false;
		if (held.call == null || held.call.parkNanos() < 0) {
			return;
		}
		List<Delivery<String>> again = held.call.deliveries()
			.stream()
			.filter((delivery) -> !delivery.isEnded())
			.toList();
		if (held.part.stopped) {
			held.part.dropped += again.size();
		}
		else if (!again.isEmpty()) {
			held.line.waiting.addAll(0, again);
			held.line.due = this.now + held.call.parkNanos();
			held.line.repeat = this.batch ? again.size() : 0;
		}
	}

	private void hold() {
		Part part = this.parts.get(this.random.nextInt(this.parts.size()));
		part.held = this.random.nextBoolean();
		this.real.hold(part.assignment, part.held);
	}

	private void changeLimit() {
		this.limit = 1 + this.random.nextInt(5);
		this.real.limit(this.limit);
	}

	private void maybeStop() {
		if (this.random.nextInt(10) > 0) {
			return;
		}
		int index = this.random.nextInt(this.parts.size());
		Part part = this.parts.get(index);
		if (part.stopped) {
			return;
		}
		part.stopped = true;
		for (Line line : part.lines.values()) {
			part.dropped += line.waiting.size();
			line.waiting.clear();
		}
		this.real.stop(List.of(part.assignment));
	}

	private void check() {
		assertThat(this.real.used()).isEqualTo(used());
		for (Part part : this.parts) {
			int inHand = 0;
			for (Held held : this.inside) {
				inHand += (held.part == part) ? held.taken.size() : 0;
			}
			for (Held held : this.detached) {
				inHand += (held.part == part) ? held.begun : 0;
			}
			Dispatcher.Load load = this.real.load(part.assignment);
			assertThat(load.inHand()).as("in hand").isEqualTo(inHand);
			assertThat(load.dropped()).as("dropped").isEqualTo(part.dropped);
			int waiting = part.lines.values().stream().mapToInt((line) -> line.waiting.size()).sum();
			assertThat(part.assignment.account().queued()).as("queued").isEqualTo(waiting);
			assertThat(part.assignment.account().isBalanced()).as("each record is in one place").isTrue();
			long parked = part.lines.values()
				.stream()
				.filter((line) -> !part.stopped && line.due >= 0 && !line.waiting.isEmpty())
				.count();
			assertThat(load.parked()).as("parked").isLessThanOrEqualTo((int) parked);
		}
	}

	/** Nothing is left behind: all that was not dropped can be worked off. */
	void finish() {
		this.parts.forEach((part) -> {
			part.held = false;
			this.real.hold(part.assignment, false);
		});
		for (int i = 0; i < 3000 && !isIdle(); i++) {
			this.now += 10;
			take();
			work();
			answerDetached();
			check();
		}
		assertThat(isIdle()).as("everything is worked off").isTrue();
	}

	private boolean isIdle() {
		return used() == 0 && this.parts.stream()
			.allMatch((part) -> part.lines.values().stream().allMatch((line) -> line.waiting.isEmpty()));
	}

}
