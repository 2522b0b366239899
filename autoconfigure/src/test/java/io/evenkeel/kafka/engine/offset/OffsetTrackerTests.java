package io.evenkeel.kafka.engine.offset;

import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.TreeMap;

import com.sun.management.ThreadMXBean;
import io.evenkeel.kafka.engine.offset.CompletedOffsets.Status;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

/**
 * Tests for {@link OffsetTracker} and, through it, for what {@link CompletedMapWriter}
 * writes.
 */
class OffsetTrackerTests {

	private static final int MAX_CHARS = 4096;

	private final OffsetTracker tracker = new OffsetTracker();

	@Test
	void nothingSeenIsNothingToCommit() {
		assertThat(this.tracker.committable()).isEqualTo(-1);
		assertThat(this.tracker.position()).isEqualTo(-1);
		assertThat(this.tracker.oldestUnfinishedNanos()).isEqualTo(-1);
		assertThat(this.tracker.unfinished()).isZero();
		assertThat(this.tracker.completedAbove()).isZero();
		assertThat(this.tracker.holes()).isZero();
		assertThat(this.tracker.mapTooLarge(0)).isFalse();
		assertThat(this.tracker.commitPoint(MAX_CHARS)).isEqualTo(new CommitPoint(-1, "", false));
	}

	@Test
	void commitNeverPassesTheLowestUnfinished() {
		long first = this.tracker.begin(10, 100);
		long second = this.tracker.begin(11, 101);
		long third = this.tracker.begin(12, 102);
		assertThat(this.tracker.complete(third)).isTrue();
		assertThat(this.tracker.committable()).isEqualTo(10);
		assertThat(this.tracker.completedAbove()).isOne();
		assertThat(this.tracker.oldestUnfinishedNanos()).isEqualTo(100);
		assertThat(this.tracker.complete(first)).isTrue();
		assertThat(this.tracker.committable()).isEqualTo(11);
		assertThat(this.tracker.oldestUnfinishedNanos()).isEqualTo(101);
		assertThat(this.tracker.complete(second)).isTrue();
		assertThat(this.tracker.committable()).isEqualTo(13);
	}

	@Test
	void gapsCountAsDone() {
		long first = this.tracker.begin(10, 0);
		this.tracker.begin(20, 0);
		this.tracker.complete(first);
		assertThat(this.tracker.committable()).isEqualTo(20);
	}

	@Test
	void positionPassesTrailingGaps() {
		long sequence = this.tracker.begin(10, 0);
		this.tracker.position(15);
		assertThat(this.tracker.committable()).isEqualTo(10);
		this.tracker.complete(sequence);
		assertThat(this.tracker.committable()).isEqualTo(15);
		this.tracker.position(12);
		assertThat(this.tracker.committable()).isEqualTo(15);
		this.tracker.begin(15, 0);
		assertThat(this.tracker.committable()).isEqualTo(15);
	}

	@Test
	void positionAloneMayBeCommitted() {
		this.tracker.position(7);
		assertThat(this.tracker.commitPoint(MAX_CHARS)).isEqualTo(new CommitPoint(7, "", false));
	}

	@Test
	void secondCompletionChangesNothing() {
		this.tracker.begin(1, 0);
		long second = this.tracker.begin(2, 0);
		assertThat(this.tracker.complete(second)).isTrue();
		assertThat(this.tracker.complete(second)).isFalse();
		assertThat(this.tracker.unfinished()).isOne();
	}

	@Test
	void completionInADroppedBlockIsASecondOne() {
		this.tracker.begin(0, 0);
		for (int offset = 1; offset < 1024; offset++) {
			this.tracker.complete(this.tracker.begin(offset, 0));
		}
		assertThat(this.tracker.complete(600)).isFalse();
		this.tracker.complete(0);
		assertThat(this.tracker.complete(0)).isFalse();
		assertThat(this.tracker.complete(600)).isFalse();
		assertThat(this.tracker.committable()).isEqualTo(1024);
	}

	@Test
	void offsetsMustIncrease() {
		this.tracker.begin(10, 0);
		for (long offset : new long[] { 10, 9, 0, -1 }) {
			assertThatIllegalArgumentException().isThrownBy(() -> this.tracker.begin(offset, 0));
		}
		assertThatIllegalArgumentException().isThrownBy(() -> new OffsetTracker().begin(-1, 0));
	}

	@Test
	void offsetBelowThePositionIsRefused() {
		this.tracker.position(10);
		assertThatIllegalArgumentException().isThrownBy(() -> this.tracker.begin(9, 0)).withMessageContaining("10");
		assertThat(this.tracker.begin(10, 0)).isZero();
	}

	@Test
	void sequenceNeverHandedOutIsRefused() {
		assertThatIllegalArgumentException().isThrownBy(() -> this.tracker.complete(0));
		this.tracker.begin(10, 0);
		assertThatIllegalArgumentException().isThrownBy(() -> this.tracker.complete(1));
		assertThatIllegalArgumentException().isThrownBy(() -> this.tracker.complete(-1));
		assertThatIllegalArgumentException().isThrownBy(() -> this.tracker.complete(256));
	}

	@Test
	void holesAreRunsOfUnfinishedBelowACompletedOne() {
		for (int offset = 0; offset < 10; offset++) {
			this.tracker.begin(offset, 0);
		}
		assertThat(this.tracker.holes()).isZero();
		this.tracker.complete(5);
		assertThat(this.tracker.holes()).isOne();
		this.tracker.complete(8);
		assertThat(this.tracker.holes()).isEqualTo(2);
		this.tracker.complete(9);
		assertThat(this.tracker.holes()).isEqualTo(2);
		this.tracker.complete(6);
		this.tracker.complete(7);
		assertThat(this.tracker.holes()).isOne();
	}

	/**
	 * Guards and the mutants that turn this test red: <em>contiguous commit</em>
	 * (committing the highest completed offset + 1 instead of the lowest unfinished one),
	 * <em>map from one snapshot</em> (keeping the map of an earlier call), runs counted
	 * at begin and completion, the highest completed offset kept as a maximum, the block
	 * dropped only when full.
	 */
	@Test
	void answersLikeTheNaiveModel() {
		Seeds.each(2_000, (random) -> {
			OffsetTracker tracker = new OffsetTracker();
			NaiveOffsets model = new NaiveOffsets();
			List<Long> open = new ArrayList<>();
			int steps = 1 + random.nextInt((random.nextInt(10) == 0) ? 6_000 : 400);
			int window = 1 + random.nextInt(1 + random.nextInt(2_000));
			int gaps = random.nextInt(4);
			int stuck = random.nextInt(3);
			long nanos = random.nextLong();
			tracker.position(random.nextInt(3) - 1);
			model.position(tracker.position());
			for (int step = 0; step < steps; step++) {
				nanos += random.nextInt(1_000);
				int action = random.nextInt(100);
				if (action < 48 || open.size() <= stuck) {
					if (open.size() < window) {
						int gap = (random.nextInt(4) < gaps) ? random.nextInt(1 << random.nextInt(9)) : 0;
						long offset = Math.max(0, model.position()) + gap;
						long sequence = tracker.begin(offset, nanos);
						assertThat(sequence).isEqualTo(model.offsets.size());
						model.begin(offset, nanos);
						open.add(sequence);
					}
				}
				if (action >= 48 && action < 96 && open.size() > stuck) {
					// The stuck ones are the first of the list.
					int index = stuck + random.nextInt(open.size() - stuck);
					long sequence = open.remove(index);
					assertThat(tracker.complete(sequence)).isTrue();
					assertThat(model.complete(sequence)).isTrue();
				}
				else if (action < 98 && !model.offsets.isEmpty()) {
					long sequence = random.nextInt(model.offsets.size());
					assertThat(tracker.complete(sequence)).isEqualTo(model.complete(sequence));
					open.remove(sequence);
				}
				else if (action >= 98) {
					long position = model.position() + random.nextInt(50) - 10;
					tracker.position(position);
					model.position(position);
				}
				checkCounters(tracker, model);
				if (random.nextInt(100) == 0 || step == steps - 1) {
					checkMap(tracker, model, random);
				}
			}
		});
	}

	private static void checkCounters(OffsetTracker tracker, NaiveOffsets model) {
		assertThat(tracker.committable()).as("committable").isEqualTo(model.committable());
		assertThat(tracker.position()).isEqualTo(model.position());
		assertThat(tracker.unfinished()).as("unfinished").isEqualTo(model.unfinished.size());
		assertThat(tracker.oldestUnfinishedNanos())
			.isEqualTo(model.unfinished.isEmpty() ? -1 : model.unfinished.firstEntry().getValue());
	}

	private static void checkMap(OffsetTracker tracker, NaiveOffsets model, Random random) {
		assertThat(tracker.completedAbove()).as("completedAbove").isEqualTo(model.completedAbove());
		BitSet expected = model.map();
		assertThat(tracker.holes() * 2).as("holes").isEqualTo(NaiveOffsets.runs(expected));
		int needed = NaiveOffsets.characters(expected);
		CommitPoint whole = checkCommitPoint(tracker, model, expected, Integer.MAX_VALUE);
		assertThat(whole.truncated()).as("truncated").isFalse();
		if (expected.isEmpty()) {
			assertThat(whole.metadata()).isEmpty();
			return;
		}
		assertThat(whole.metadata()).hasSize(needed);
		assertThat(checkCommitPoint(tracker, model, expected, needed)).isEqualTo(whole);
		assertThat(checkCommitPoint(tracker, model, expected, needed - 1).truncated()).isTrue();
		checkCommitPoint(tracker, model, expected, 2 * needed);
		int less = random.nextInt(needed);
		long reached = CompletedOffsets
			.decode(checkCommitPoint(tracker, model, expected, less).metadata(), whole.offset())
			.upTo();
		long reachedByOneMore = CompletedOffsets
			.decode(checkCommitPoint(tracker, model, expected, less + 1).metadata(), whole.offset())
			.upTo();
		assertThat(reached).as("more space never tells less").isLessThanOrEqualTo(reachedByOneMore);
	}

	private static CommitPoint checkCommitPoint(OffsetTracker tracker, NaiveOffsets model, BitSet expected,
			int maxChars) {
		CommitPoint point = tracker.commitPoint(maxChars);
		assertThat(point.offset()).isEqualTo(model.committable());
		assertThat(point.metadata().length()).isLessThanOrEqualTo(maxChars);
		CompletedOffsets decoded = CompletedOffsets.decode(point.metadata(), point.offset());
		assertThat(decoded.status()).isEqualTo(point.metadata().isEmpty() ? Status.ABSENT : Status.OK);
		// All that is told is true, and nothing below the end of the map is left out.
		int reached = (int) (decoded.upTo() - point.offset());
		for (int i = -1; i < expected.length() + 1; i++) {
			assertThat(decoded.contains(point.offset() + i)).as("contains %d", i)
				.isEqualTo(i >= 0 && i < reached && expected.get(i));
		}
		assertThat(point.truncated()).isEqualTo(reached < expected.length());
		if (point.truncated()) {
			assertThat(tracker.mapTooLarge(maxChars)).as("too large when truncated").isTrue();
		}
		else if (maxChars >= 2 * NaiveOffsets.characters(expected)) {
			assertThat(tracker.mapTooLarge(maxChars)).as("not too large with space to spare").isFalse();
		}
		return point;
	}

	/**
	 * Guards and the mutants that turn this test red: carrying the inherited map on above
	 * the position, only above it, and the base never marked.
	 */
	@Test
	void inheritedMapIsCarriedOnUntilThePositionHasPassedIt() {
		Seeds.each(3_000, (random) -> {
			OffsetTracker first = new OffsetTracker();
			int count = 2 + random.nextInt(600);
			int density = 1 + random.nextInt(20);
			TreeMap<Long, Boolean> records = new TreeMap<>();
			long offset = random.nextInt(1_000);
			for (int i = 0; i < count; i++) {
				offset += 1 + Math.max(0, random.nextInt(6) - 3);
				first.begin(offset, 0);
				boolean done = random.nextInt(20) < density;
				records.put(offset, done);
				if (done) {
					first.complete(i);
				}
			}
			CommitPoint point = first.commitPoint(Integer.MAX_VALUE);
			records.headMap(point.offset()).clear();
			CompletedOffsets inherited = CompletedOffsets.decode(point.metadata(), point.offset());
			OffsetTracker second = new OffsetTracker(inherited);
			second.position(point.offset());
			int read = random.nextInt(records.size() + 1);
			int ending = random.nextInt(20);
			for (long seen : records.keySet().stream().limit(read).toList()) {
				long sequence = second.begin(seen, 0);
				if (inherited.contains(seen) || random.nextInt(20) < ending) {
					second.complete(sequence);
					records.put(seen, true);
				}
			}
			CommitPoint next = second.commitPoint(Integer.MAX_VALUE);
			assertThat(next.offset()).isEqualTo(second.committable());
			assertThat(next.truncated()).isFalse();
			CompletedOffsets decoded = CompletedOffsets.decode(next.metadata(), next.offset());
			assertThat(decoded.status()).isIn(Status.OK, Status.ABSENT);
			records.tailMap(next.offset(), false)
				.forEach((record, done) -> assertThat(decoded.contains(record)).as("contains %d", record)
					.isEqualTo(done));
			assertThat(decoded.contains(next.offset())).isFalse();
		});
	}

	@Test
	void inheritedMapOfALaterOffsetIsCarriedOnAfterASeekBack() {
		this.tracker.begin(Long.MAX_VALUE / 2, 0);
		this.tracker.complete(this.tracker.begin(Long.MAX_VALUE / 2 + 1, 0));
		CommitPoint point = this.tracker.commitPoint(MAX_CHARS);
		CompletedOffsets inherited = CompletedOffsets.decode(point.metadata(), point.offset());
		assertThat(inherited.isEmpty()).isFalse();
		OffsetTracker back = new OffsetTracker(inherited);
		back.position(7);
		assertThat(back.commitPoint(MAX_CHARS)).isEqualTo(new CommitPoint(7, "", true));
		assertThat(back.mapTooLarge(MAX_CHARS)).isFalse();
		OffsetTracker near = new OffsetTracker(inherited);
		near.position(point.offset() - 10);
		CommitPoint nearPoint = near.commitPoint(MAX_CHARS);
		CompletedOffsets decoded = CompletedOffsets.decode(nearPoint.metadata(), nearPoint.offset());
		assertThat(decoded.contains(point.offset())).isFalse();
		assertThat(decoded.contains(point.offset() + 1)).isTrue();
	}

	@Test
	void commitPointDoesNotChangeLater() {
		this.tracker.begin(0, 0);
		this.tracker.begin(1, 0);
		this.tracker.begin(2, 0);
		this.tracker.complete(1);
		CommitPoint earlier = this.tracker.commitPoint(MAX_CHARS);
		this.tracker.complete(2);
		assertThat(CompletedOffsets.decode(earlier.metadata(), 0).upTo()).isEqualTo(2);
		assertThat(CompletedOffsets.decode(this.tracker.commitPoint(MAX_CHARS).metadata(), 0).upTo()).isEqualTo(3);
	}

	@Test
	void stuckRecordCostsAReferencePerBlock() {
		long stuck = this.tracker.begin(0, 0);
		for (int offset = 1; offset <= 1_000_000; offset++) {
			this.tracker.complete(this.tracker.begin(offset, 0));
		}
		assertThat(this.tracker.completedAbove()).isEqualTo(1_000_000);
		assertThat(this.tracker.liveBlocks()).isEqualTo(2);
		assertThat(this.tracker.slots()).isEqualTo(4096);
		assertThat(this.tracker.mapTooLarge(64)).isFalse();
		CommitPoint point = this.tracker.commitPoint(64);
		assertThat(CompletedOffsets.decode(point.metadata(), 0).upTo()).isEqualTo(1_000_001);
		assertThat(point.truncated()).isFalse();
		this.tracker.complete(stuck);
		assertThat(this.tracker.committable()).isEqualTo(1_000_001);
		assertThat(this.tracker.liveBlocks()).isOne();
	}

	@Test
	void outOfOrderFlowDoesNotGrow() {
		Random random = new Random(7);
		List<Long> open = new ArrayList<>();
		for (int offset = 0; offset < 1_000_000; offset++) {
			open.add(this.tracker.begin(offset, 0));
			if (open.size() == 1_000) {
				Collections.shuffle(open, random);
				open.forEach(this.tracker::complete);
				open.clear();
			}
		}
		assertThat(this.tracker.liveBlocks()).isOne();
		assertThat(this.tracker.slots()).isEqualTo(8);
	}

	@Test
	void steadyFlowAllocatesNothing() {
		for (int offset = 0; offset < 1_024; offset++) {
			this.tracker.begin(offset, 0);
		}
		flow(1_024, 100_000);
		long before = allocatedBytes();
		flow(101_024, 1_000_000);
		assertThat(allocatedBytes() - before).isLessThan(10_000);
	}

	private void flow(int from, int count) {
		for (int i = from; i < from + count; i++) {
			this.tracker.begin(i, i);
			// Exchange neighbours, so that every second completion is out of order.
			this.tracker.complete((i - 1_024) ^ 1);
			this.tracker.mapTooLarge(MAX_CHARS);
		}
	}

	static long allocatedBytes() {
		return ((ThreadMXBean) ManagementFactory.getThreadMXBean()).getCurrentThreadAllocatedBytes();
	}

	@Test
	void mapBecomesTooLargeAndFitsAgain() {
		for (int offset = 0; offset < 100_000; offset++) {
			this.tracker.begin(offset, 0);
		}
		for (int offset = 1; offset < 100_000; offset += 2) {
			this.tracker.complete(offset);
		}
		assertThat(this.tracker.holes()).isEqualTo(50_000);
		assertThat(this.tracker.mapTooLarge(MAX_CHARS)).isTrue();
		CommitPoint point = this.tracker.commitPoint(MAX_CHARS);
		assertThat(point.truncated()).isTrue();
		assertThat(point.metadata()).hasSize(MAX_CHARS);
		// 4092 characters of base64 are 3069 bytes, 13 of them the header's.
		assertThat(CompletedOffsets.decode(point.metadata(), 0).upTo()).isEqualTo(3056 * 8);
		for (int offset = 0; offset < 98_000; offset += 2) {
			this.tracker.complete(offset);
		}
		assertThat(this.tracker.mapTooLarge(MAX_CHARS)).isFalse();
		assertThat(this.tracker.commitPoint(MAX_CHARS).truncated()).isFalse();
	}

	@Test
	void denseHolesAreMeasuredByTheBitmap() {
		for (int offset = 0; offset < 1_000; offset++) {
			this.tracker.begin(offset, 0);
		}
		for (int offset = 1; offset < 1_000; offset += 2) {
			this.tracker.complete(offset);
		}
		int needed = this.tracker.commitPoint(MAX_CHARS).metadata().length();
		assertThat(needed).isEqualTo(188);
		assertThat(this.tracker.mapTooLarge(needed)).isFalse();
		assertThat(this.tracker.mapTooLarge(needed - 1)).isTrue();
	}

	@Test
	void spanBeyondTheLimitIsTruncated() {
		long limit = CompletedMapFormat.MAX_SPAN;
		this.tracker.begin(5, 0);
		this.tracker.complete(this.tracker.begin(4 + limit, 0));
		assertThat(this.tracker.mapTooLarge(MAX_CHARS)).isFalse();
		assertThat(this.tracker.commitPoint(MAX_CHARS).truncated()).isFalse();
		this.tracker.complete(this.tracker.begin(5 + limit, 0));
		assertThat(this.tracker.mapTooLarge(MAX_CHARS)).isTrue();
		CommitPoint point = this.tracker.commitPoint(MAX_CHARS);
		assertThat(point.truncated()).isTrue();
		assertThat(CompletedOffsets.decode(point.metadata(), 5).upTo()).isEqualTo(5 + limit);
		this.tracker.begin(6 + limit, 0);
		this.tracker.complete(this.tracker.begin(7 + limit, 0));
		assertThat(this.tracker.commitPoint(MAX_CHARS)).isEqualTo(point);
	}

	@Test
	void hugeFirstHoleHasNoMap() {
		this.tracker.begin(0, 0);
		this.tracker.begin(Long.MAX_VALUE / 2, 0);
		this.tracker.complete(this.tracker.begin(Long.MAX_VALUE / 2 + 1, 0));
		assertThat(this.tracker.commitPoint(MAX_CHARS)).isEqualTo(new CommitPoint(0, "", true));
		assertThat(this.tracker.mapTooLarge(MAX_CHARS)).isTrue();
	}

	@Test
	void beginningOfARunIsKept() {
		this.tracker.begin(0, 0);
		for (int offset = 1; offset <= 300; offset++) {
			this.tracker.complete(this.tracker.begin(offset, 0));
		}
		// Two bytes for the body: a run of 1 and one of 127, where a bitmap reaches 16.
		CommitPoint point = this.tracker.commitPoint(24);
		assertThat(point.truncated()).isTrue();
		assertThat(CompletedOffsets.decode(point.metadata(), 0).upTo()).isEqualTo(128);
		assertThat(CompletedOffsets.decode(this.tracker.commitPoint(23).metadata(), 0).upTo()).isEqualTo(8);
	}

	@Test
	void noSpaceIsNoMap() {
		this.tracker.begin(0, 0);
		this.tracker.complete(this.tracker.begin(1, 0));
		for (int maxChars : new int[] { Integer.MIN_VALUE, -1, 0, 4, 5, 22 }) {
			assertThat(this.tracker.commitPoint(maxChars)).isEqualTo(new CommitPoint(0, "", true));
			assertThat(this.tracker.mapTooLarge(maxChars)).isTrue();
		}
		assertThat(this.tracker.commitPoint(23).truncated()).isFalse();
	}

	@Test
	void positionOnAnInheritedCompletedOffsetIsCommittedPastIt() {
		OffsetTracker before = new OffsetTracker();
		for (long offset = 9; offset < 15; offset++) {
			before.begin(offset, 0);
		}
		before.complete(3);
		before.complete(4);
		CommitPoint left = before.commitPoint(4096);
		assertThat(left.offset()).isEqualTo(9);
		OffsetTracker tracker = new OffsetTracker(CompletedOffsets.decode(left.metadata(), 9));
		for (long offset = 9; offset < 12; offset++) {
			tracker.complete(tracker.begin(offset, 0));
		}
		// A map cannot say that its base, 12, is completed.
		assertThat(tracker.commitPoint(4096).offset()).isEqualTo(14);
	}

}
