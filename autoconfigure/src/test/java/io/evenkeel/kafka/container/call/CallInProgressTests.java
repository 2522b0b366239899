package io.evenkeel.kafka.container.call;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;

import io.micrometer.observation.Observation;
import io.micrometer.observation.ObservationRegistry;
import org.assertj.core.api.Assertions;
import org.junit.jupiter.api.Test;
import org.mockito.Mockito;

import org.springframework.kafka.listener.ListenerExecutionFailedException;
import org.springframework.kafka.listener.MessageListener;

/**
 * When a call is over, and how often that is said.
 */
class CallInProgressTests {

	private final List<String> ends = new ArrayList<>();

	private final Observation observation = Mockito.mock(Observation.class);

	private final CallObservationRegistry calls = new CallObservationRegistry(ObservationRegistry.NOOP);

	@Test
	void theEndIsSaidOnceWhoeverComesSecond() {
		CallInProgress call = call(true);
		call.stop();
		call.stop();
		Assertions.assertThat(this.ends).as("the listener has not returned").isEmpty();
		call.returned(null);
		call.stop();
		Assertions.assertThat(this.ends).containsExactly("success");
		CallInProgress other = call(true);
		other.returned(null);
		Assertions.assertThat(this.ends).as("its work goes on").hasSize(1);
		other.stop();
		other.stop();
		Assertions.assertThat(this.ends).containsExactly("success", "success");
	}

	@Test
	void aCallThatNobodyStopsIsOverWhenItReturns() {
		call(false).returned(null);
		Assertions.assertThat(this.ends).containsExactly("success");
		Mockito.verify(this.observation).stop();
	}

	@Test
	void aCallThatThrowsIsOver() {
		CallInProgress call = call(true);
		call.returned(new IllegalStateException("thrown"));
		Assertions.assertThat(this.ends).containsExactly("thrown");
		Mockito.verify(this.observation).stop();
	}

	@Test
	void aCallThatWasSkippedIsOver() {
		CallInProgress call = call(true);
		call.skipped();
		call.returned(null);
		Assertions.assertThat(this.ends).containsExactly("success");
	}

	@Test
	void aFailureThatTheAdapterOnlyTellsIsAFailure() {
		CallInProgress call = call(true);
		call.error(new IllegalStateException("told"));
		call.stop();
		call.returned(null);
		Assertions.assertThat(this.ends).containsExactly("told");
	}

	@Test
	void whatAnObservationThrowsChangesNothing() {
		Mockito.doThrow(new IllegalStateException("simulated")).when(this.observation).stop();
		Mockito.when(this.observation.error(Mockito.any())).thenThrow(new IllegalStateException("simulated"));
		CallInProgress call = call(true);
		call.error(new IllegalStateException("told"));
		call.returned(null);
		call.stop();
		Assertions.assertThat(this.ends).containsExactly("told");
	}

	@Test
	void whatIsAroundACallThatGoesOnWaitsForIt() {
		CallInProgress call = call(true);
		CountDownLatch begun = new CountDownLatch(1);
		Thread completer = new Thread(() -> {
			try {
				begun.await();
			}
			catch (InterruptedException ex) {
				return;
			}
			call.error(new IllegalStateException("later"));
			call.stop();
		});
		completer.start();
		Assertions.assertThatExceptionOfType(ListenerExecutionFailedException.class)
			.isThrownBy(() -> call.runToTheEnd(begun::countDown, "group"))
			.withRootCauseInstanceOf(IllegalStateException.class)
			.satisfies((ex) -> Assertions.assertThat(ex.getGroupId()).isEqualTo("group"));
	}

	@Test
	void anInterruptedWaitLeavesTheThreadInterrupted() {
		CallInProgress call = call(true);
		Assertions.assertThatExceptionOfType(ListenerExecutionFailedException.class)
			.isThrownBy(() -> call.runToTheEnd(() -> Thread.currentThread().interrupt(), "group"));
		Assertions.assertThat(Thread.interrupted()).isTrue();
	}

	@Test
	void aScopeLeavesTheThreadAsItWas() {
		CallInProgress outer = call(true);
		CallInProgress inner = call(true);
		try (Observation.Scope around = outer.openScope()) {
			try (Observation.Scope scope = inner.openScope()) {
				Assertions.assertThat(this.calls.call()).isSameAs(inner);
			}
			Assertions.assertThat(this.calls.call()).isSameAs(outer);
		}
		Assertions.assertThat(this.calls.call()).isNull();
	}

	private CallInProgress call(boolean tellsWhenOver) {
		Mockito.when(this.observation.openScope()).thenReturn(Observation.Scope.NOOP);
		ListenerTarget target = new ListenerTarget((MessageListener<Object, Object>) (record) -> {
		});
		return new CallInProgress(this.observation, this.calls, target, tellsWhenOver, null,
				(failure, call) -> this.ends.add((failure != null) ? String.valueOf(failure.getMessage()) : "success"));
	}

}
