package io.evenkeel.kafka.engine.retry;

import java.time.Duration;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

/**
 * Tests for {@link RetrySettings}.
 */
class RetrySettingsTests {

	private static final Duration SECOND = Duration.ofSeconds(1);

	@Test
	void defaultsAreThoseOfTheContract() {
		assertThat(RetrySettings.defaults())
			.isEqualTo(new RetrySettings(5, Duration.ofMillis(500), 2.0, Duration.ofSeconds(30), 0.2));
	}

	@Test
	void boundsAreAllowed() {
		assertThat(new RetrySettings(1, Duration.ofNanos(1), 1, Duration.ofNanos(1), 0).maxAttempts()).isOne();
		assertThat(new RetrySettings(Integer.MAX_VALUE, Duration.ofDays(365_000), Double.MAX_VALUE, SECOND, 1).jitter())
			.isOne();
	}

	@ParameterizedTest
	@ValueSource(ints = { 0, -1, Integer.MIN_VALUE })
	void maxAttemptsBelowOneIsRefused(int maxAttempts) {
		assertThatIllegalArgumentException().isThrownBy(() -> new RetrySettings(maxAttempts, SECOND, 2, SECOND, 0))
			.withMessageContaining("maxAttempts")
			.withMessageContaining(String.valueOf(maxAttempts));
	}

	@ParameterizedTest
	@ValueSource(strings = { "PT0S", "PT-1S" })
	void intervalThatIsNotPositiveIsRefused(Duration interval) {
		assertThatIllegalArgumentException().isThrownBy(() -> new RetrySettings(5, interval, 2, SECOND, 0))
			.withMessageContaining("initialInterval");
		assertThatIllegalArgumentException().isThrownBy(() -> new RetrySettings(5, SECOND, 2, interval, 0))
			.withMessageContaining("maxInterval");
	}

	@ParameterizedTest
	@ValueSource(doubles = { 0.99, -2, Double.NaN, Double.POSITIVE_INFINITY })
	void multiplierBelowOneOrNotFiniteIsRefused(double multiplier) {
		assertThatIllegalArgumentException().isThrownBy(() -> new RetrySettings(5, SECOND, multiplier, SECOND, 0))
			.withMessageContaining("multiplier");
	}

	@ParameterizedTest
	@ValueSource(doubles = { -0.01, 1.01, Double.NaN })
	void jitterOutsideZeroToOneIsRefused(double jitter) {
		assertThatIllegalArgumentException().isThrownBy(() -> new RetrySettings(5, SECOND, 2, SECOND, jitter))
			.withMessageContaining("jitter");
	}

}
