package io.evenkeel.kafka.engine.dispatch;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicBoolean;

import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

class LaneKeysTests {

	private final List<Class<?>> reported = new ArrayList<>();

	private final LaneKeys keys = new LaneKeys(Ordering.KEY, this.reported::add);

	@Test
	void arraysCompareByContent() {
		byte[] bytes = "key".getBytes(StandardCharsets.UTF_8);
		assertThat(this.keys.laneKey(bytes)).isEqualTo(this.keys.laneKey(bytes.clone()))
			.hasSameHashCodeAs(this.keys.laneKey(bytes.clone()));
		assertThat(this.keys.laneKey(bytes)).isNotEqualTo(this.keys.laneKey(new byte[] { 1 }));
		assertThat(this.keys.laneKey(new int[] { 1 })).isEqualTo(this.keys.laneKey(new int[] { 1 }));
		assertThat(this.keys.laneKey(new int[] { 1 })).isNotEqualTo(this.keys.laneKey(new long[] { 1 }));
		assertThat(this.keys.laneKey(new String[] { "a" })).isEqualTo(this.keys.laneKey(new String[] { "a" }));
	}

	@Test
	void keysWithEqualityAreThemselves() {
		UUID key = UUID.randomUUID();
		assertThat(this.keys.laneKey(key)).isSameAs(key);
		assertThat(this.keys.laneKey("a")).isEqualTo("a");
		assertThat(this.keys.laneKey(5L)).isEqualTo(5L);
		assertThat(this.reported).isEmpty();
	}

	@Test
	void keysWithoutEqualityKeepThePartitionsOrderAndAreReportedOnce() {
		assertThat(this.keys.laneKey(new Opaque())).isNull();
		assertThat(this.keys.laneKey(new Opaque())).isNull();
		assertThat(this.reported).containsExactly(Opaque.class);
	}

	@Test
	void nullKeyKeepsThePartitionsOrder() {
		assertThat(this.keys.laneKey(null)).isNull();
	}

	@Test
	void otherOrderingsDoNotLookAtTheKey() {
		assertThat(new LaneKeys(Ordering.PARTITION, this.reported::add).laneKey("a")).isNull();
		assertThat(new LaneKeys(Ordering.NONE, this.reported::add).laneKey("a")).isSameAs(LaneKeys.ALONE);
	}

	@Test
	void sameKeyInTwoTopicsHasTwoLanes() {
		Assignment<String> one = new Assignment<>("a", 0, 1);
		Assignment<String> other = new Assignment<>("b", 0, 2);
		Lane<String> lane = one.begin("r", 0, this.keys.laneKey("k"), 0).lane();
		assertThat(other.begin("r", 0, this.keys.laneKey("k"), 0).lane()).isNotSameAs(lane);
		assertThat(one.begin("r", 1, this.keys.laneKey("k"), 0).lane()).isSameAs(lane);
	}

	/** Red when a key of the application's is kept, or looked up again. */
	@Test
	void aKeyThatItsHandlerChangesKeepsItsLaneAndLeavesNone() {
		Assignment<String> assignment = new Assignment<>("t", 0, 1);
		List<String> list = new ArrayList<>(List.of("a"));
		byte[] bytes = { 1 };
		int[] ints = { 1 };
		List<Delivery<String>> first = new ArrayList<>();
		for (Object key : List.of(list, bytes, ints)) {
			first.add(assignment.begin("r", first.size(), this.keys.laneKey(key), 0));
		}
		list.add("changed");
		bytes[0] = 2;
		ints[0] = 2;
		List<Delivery<String>> all = new ArrayList<>(first);
		// Equal to what they were, of another class, too.
		for (Object key : List.of(new java.util.LinkedList<>(List.of("a")), new byte[] { 1 }, new int[] { 1 })) {
			all.add(assignment.begin("r", all.size(), this.keys.laneKey(key), 0));
		}
		for (int i = 0; i < 3; i++) {
			assertThat(all.get(i + 3).lane()).isSameAs(all.get(i).lane());
		}
		for (Delivery<String> delivery : all) {
			delivery.end(Outcome.SUCCESS);
			assignment.completed(delivery);
		}
		assignment.retireLanes();
		assertThat(assignment.keys()).isZero();
	}

	static final class Opaque {

	}

	/** Red when a key's own code ends the owner's turn. */
	@Test
	void aLaneIsForgottenWithoutTheHelpOfItsKey() {
		AtomicBoolean broken = new AtomicBoolean();
		final class Key {

			@Override
			public int hashCode() {
				return 1;
			}

			@Override
			public boolean equals(Object other) {
				if (broken.get()) {
					throw new IllegalStateException("cannot be compared");
				}
				return this == other;
			}

		}
		Assignment<String> assignment = new Assignment<>("t", 0, 1);
		Delivery<String> first = assignment.begin("a", 0, new Key(), 0);
		Delivery<String> second = assignment.begin("b", 1, new Key(), 0);
		broken.set(true);
		for (Delivery<String> delivery : List.of(second, first)) {
			delivery.end(Outcome.SUCCESS);
			assignment.completed(delivery);
		}
		assignment.retireLanes();
		assertThat(assignment.keys()).isZero();
	}

}
