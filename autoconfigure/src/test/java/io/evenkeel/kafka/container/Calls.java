package io.evenkeel.kafka.container;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

import org.assertj.core.api.Assertions;
import org.awaitility.Awaitility;

/**
 * What the listeners of a test were called with, in the order of the calls.
 */
class Calls {

	private final List<String> seen = new CopyOnWriteArrayList<>();

	void add(String call) {
		this.seen.add(call);
	}

	List<String> all() {
		return List.copyOf(this.seen);
	}

	long count(String call) {
		return this.seen.stream().filter(call::equals).count();
	}

	void await(String... expected) {
		Awaitility.await()
			.atMost(Duration.ofSeconds(30))
			.untilAsserted(() -> Assertions.assertThat(this.seen).contains(expected));
	}

	void awaitExactly(String... expected) {
		Awaitility.await()
			.atMost(Duration.ofSeconds(30))
			.untilAsserted(() -> Assertions.assertThat(this.seen).containsExactly(expected));
	}

	void awaitSize(int size) {
		Awaitility.await()
			.atMost(Duration.ofSeconds(30))
			.untilAsserted(() -> Assertions.assertThat(this.seen).hasSize(size));
	}

}
