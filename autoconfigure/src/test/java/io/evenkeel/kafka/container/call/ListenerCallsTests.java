package io.evenkeel.kafka.container.call;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

import io.evenkeel.kafka.container.WithoutBroker;
import io.micrometer.observation.Observation;
import io.micrometer.observation.ObservationHandler;
import io.micrometer.observation.ObservationRegistry;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.assertj.core.api.Assertions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.mockito.Mockito;

import org.springframework.kafka.listener.RecordInterceptor;
import org.springframework.kafka.support.Acknowledgment;
import org.springframework.kafka.support.KafkaHeaders;

/**
 * What is around a call of the listener, and that all of it ends with the call.
 */
class ListenerCallsTests {

	private final List<String> told = new ArrayList<>();

	private final ObservationRegistry observations = ObservationRegistry.create();

	private Throwable toThrow;

	private final WithoutBroker fixture = new WithoutBroker((record) -> {
		this.told.add("listener");
		sneakyThrow();
	});

	private void sneakyThrow() {
		if (this.toThrow instanceof RuntimeException unchecked) {
			throw unchecked;
		}
		if (this.toThrow instanceof Error error) {
			throw error;
		}
	}

	@ParameterizedTest
	@ValueSource(booleans = { true, false })
	void theThreadStateOfAnInterceptorEndsWithTheCall(boolean fails) {
		this.toThrow = fails ? new StackOverflowError("simulated") : null;
		this.fixture.container.setRecordInterceptor(new Interceptor());
		Throwable failure = call(this.fixture.calls(), null);
		Assertions.assertThat(failure != null).isEqualTo(fails);
		Assertions.assertThat(this.told)
			.containsExactly("setup", "intercept", "listener", fails ? "-" : "success", "after", "clear");
	}

	@ParameterizedTest
	@ValueSource(booleans = { true, false })
	void theObservationEndsWithTheCallAndIsNoLongerTheThreads(boolean fails) {
		this.toThrow = fails ? new IllegalStateException("simulated") : null;
		this.observations.observationConfig().observationHandler(new Handler());
		call(this.fixture.calls(this.observations), null);
		Assertions.assertThat(this.observations.getCurrentObservationScope()).isNull();
		Assertions.assertThat(this.told)
			.containsExactly(fails ? new String[] { "start", "open", "listener", "error", "close", "stop" }
					: new String[] { "start", "open", "listener", "close", "stop" });
	}

	@Test
	void whatHearsOfTheEndOfACallChangesNothingOfIt() {
		RecordInterceptor<Object, Object> interceptor = WithoutBroker.mock();
		Mockito.when(interceptor.intercept(Mockito.any(), Mockito.any())).then((asked) -> asked.getArgument(0));
		Mockito.doThrow(new IllegalStateException("simulated")).when(interceptor).success(Mockito.any(), Mockito.any());
		Mockito.doThrow(new AssertionError("simulated")).when(interceptor).afterRecord(Mockito.any(), Mockito.any());
		Mockito.doThrow(new IllegalStateException("simulated")).when(interceptor).clearThreadState(Mockito.any());
		this.fixture.container.setRecordInterceptor(interceptor);
		Assertions.assertThat(call(this.fixture.calls(), null)).isNull();
	}

	@Test
	void aRecordThatAnInterceptorSkipsIsAcknowledged() {
		this.fixture.container.setRecordInterceptor((record, consumer) -> null);
		Acknowledgment acknowledgment = Mockito.mock(Acknowledgment.class);
		Assertions.assertThat(call(this.fixture.calls(), acknowledgment)).isNull();
		Assertions.assertThat(this.told).isEmpty();
		Mockito.verify(acknowledgment).acknowledge();
	}

	/** Records are given up and called again by several: one header, with its number. */
	@Test
	void theNumberOfTheCallIsInTheRecordOnce() {
		CallHeaders headers = new CallHeaders(new byte[] { 1 }, true);
		ConsumerRecord<Object, Object> record = WithoutBroker.record(7);
		headers.add(record, 1);
		headers.add(record, 3);
		Assertions.assertThat(record.headers().headers(KafkaHeaders.DELIVERY_ATTEMPT))
			.singleElement()
			.satisfies((header) -> Assertions.assertThat(ByteBuffer.wrap(header.value()).getInt()).isEqualTo(3));
		Assertions.assertThat(record.headers().headers(KafkaHeaders.LISTENER_INFO)).hasSize(1);
		headers.add(record, 1);
		Assertions.assertThat(record.headers().headers(KafkaHeaders.DELIVERY_ATTEMPT)).hasSize(1);
		CallHeaders.removeAttempt(record);
		Assertions.assertThat(record.headers().lastHeader(KafkaHeaders.DELIVERY_ATTEMPT)).isNull();
	}

	private static Throwable call(ListenerCalls<Object, Object> calls, Acknowledgment acknowledgment) {
		return calls.callAndWait(WithoutBroker.record(7), 1, acknowledgment);
	}

	private final class Interceptor implements RecordInterceptor<Object, Object> {

		@Override
		public void setupThreadState(Consumer<?, ?> consumer) {
			ListenerCallsTests.this.told.add("setup");
		}

		@Override
		public ConsumerRecord<Object, Object> intercept(ConsumerRecord<Object, Object> record,
				Consumer<Object, Object> consumer) {
			ListenerCallsTests.this.told.add("intercept");
			return record;
		}

		@Override
		public void success(ConsumerRecord<Object, Object> record, Consumer<Object, Object> consumer) {
			ListenerCallsTests.this.told.add("success");
		}

		@Override
		public void afterRecord(ConsumerRecord<Object, Object> record, Consumer<Object, Object> consumer) {
			// An error is no exception: the interceptor hears of its end only.
			if (ListenerCallsTests.this.toThrow != null) {
				ListenerCallsTests.this.told.add("-");
			}
			ListenerCallsTests.this.told.add("after");
		}

		@Override
		public void clearThreadState(Consumer<?, ?> consumer) {
			ListenerCallsTests.this.told.add("clear");
		}

	}

	private final class Handler implements ObservationHandler<Observation.Context> {

		@Override
		public boolean supportsContext(Observation.Context context) {
			return true;
		}

		@Override
		public void onStart(Observation.Context context) {
			ListenerCallsTests.this.told.add("start");
		}

		@Override
		public void onScopeOpened(Observation.Context context) {
			ListenerCallsTests.this.told.add("open");
		}

		@Override
		public void onError(Observation.Context context) {
			ListenerCallsTests.this.told.add("error");
		}

		@Override
		public void onScopeClosed(Observation.Context context) {
			ListenerCallsTests.this.told.add("close");
		}

		@Override
		public void onStop(Observation.Context context) {
			ListenerCallsTests.this.told.add("stop");
		}

	}

}
