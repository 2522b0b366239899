package io.evenkeel.samples.orders;

import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Tests for {@link Summary}.
 */
class SummaryTests {

	@Test
	void printsOneLinePerCount() {
		assertThat(new Summary(7, 6, 1, 2, 3, 4, 5)).hasToString("""
				sent: 7
				handled: 6
				lost: 1
				duplicates: 2
				order violations: 3
				longest caller block: 4 ms
				rebalances: 5""");
	}

	@Test
	void anyFaultIsNotFlawless() {
		assertThat(new Summary(9, 9, 0, 0, 0, 50, 3).flawless()).isTrue();
		assertThat(new Summary(9, 8, 1, 0, 0, 0, 3).flawless()).isFalse();
		assertThat(new Summary(9, 9, 0, 1, 0, 0, 3).flawless()).isFalse();
		assertThat(new Summary(9, 9, 0, 0, 1, 0, 3).flawless()).isFalse();
	}

}
