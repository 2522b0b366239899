package io.evenkeel.kafka.producer;

import java.util.Random;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import static org.assertj.core.api.Assertions.assertThat;

class PatienceTests {

	private static final long MILLI = 1_000_000;

	private final Patience patience = new Patience();

	private long now;

	/** Red when each task that blocks is waited for as long as the first. */
	@ParameterizedTest
	@ValueSource(ints = { 65, 1_000 })
	void theLastOfManyIsHeldUpForLittleMoreThanTheCredit(int count) {
		Object runner = new Object();
		for (int i = 0; i < count; i++) {
			runner = relieve(runner);
		}
		assertThat(this.now).isLessThan((long) (1.3 * Patience.CREDIT) + count * MILLI / 4);
	}

	/** Red when whoever blocks all the time gets the credit of an hour. */
	@Test
	void theCreditComesBackWithTheTime() {
		Object runner = new Object();
		long first = this.now;
		runner = relieve(runner);
		first = this.now - first;
		for (int i = 0; i < 100; i++) {
			runner = relieve(runner);
		}
		this.now += 3_600_000 * MILLI;
		this.patience.left(runner, 2, false, 0, this.now);
		long again = this.now;
		relieve(runner, 3);
		assertThat(this.now - again).isEqualTo(first);
	}

	/** Red when progress does not count, or an idle runner is relieved. */
	@Test
	void whoeverComesBackInTimeIsNeverRelieved() {
		Random random = new Random(7);
		Object runner = new Object();
		long wait = 0;
		for (long turn = 1; turn < 10_000; turn++) {
			wait = this.patience.left(runner, turn, random.nextBoolean(), wait, this.now);
			assertThat(wait).as("turn %s", turn).isPositive();
			this.now += wait;
		}
	}

	/** Red when work is taken for a wait: user code may rely on being alone. */
	@Test
	void whoeverWorksGetsLonger() {
		long waited = this.now;
		Object runner = relieve(new Object());
		waited = this.now - waited;
		this.now += 60_000 * MILLI;
		this.patience.left(runner, 2, true, 0, this.now);
		long start = this.now;
		long wait = this.patience.left(runner, 3, true, 0, this.now);
		while (wait > 0) {
			this.now += wait;
			wait = this.patience.left(runner, 3, true, wait, this.now);
		}
		assertThat(this.now - start).isGreaterThan(10 * waited);
	}

	private Object relieve(Object runner) {
		return relieve(runner, 1);
	}

	private Object relieve(Object runner, long turn) {
		long wait = this.patience.left(runner, turn, false, 0, this.now);
		while (wait > 0) {
			this.now += wait;
			wait = this.patience.left(runner, turn, false, wait, this.now);
		}
		Object next = new Object();
		this.patience.spent(next);
		return next;
	}

}
