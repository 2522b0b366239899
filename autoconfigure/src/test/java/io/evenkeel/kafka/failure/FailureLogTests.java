package io.evenkeel.kafka.failure;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletionException;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.ThrowableProxy;
import ch.qos.logback.core.read.ListAppender;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

import org.springframework.kafka.listener.ListenerExecutionFailedException;
import org.springframework.messaging.converter.MessageConversionException;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * What an operator reads when a handler fails.
 */
class FailureLogTests {

	private static final String CANARY = "canary-4711-of-a-record";

	private final ListAppender<ILoggingEvent> lines = new ListAppender<>();

	private final Logger logger = (Logger) LoggerFactory.getLogger(FailureLog.class);

	private long now = 1;

	private final FailureLog log = new FailureLog("orders", 5, true, () -> this.now);

	@BeforeEach
	void listen() {
		this.lines.start();
		this.logger.addAppender(this.lines);
	}

	@AfterEach
	void leave() {
		this.logger.detachAppender(this.lines);
	}

	@Test
	void theFirstFailureOfAKindHasItsMessageItsStackAndWhatBecomesOfTheRecord() {
		RuntimeException own = new IllegalStateException("no stock for 17");
		this.log.retried(record(42), 1, Duration.ofMillis(512),
				new ListenerExecutionFailedException("Listener failed", new CompletionException(own)));
		assertThat(texts()).containsExactly("orders: call 1 of 5 for topic-3@42 failed and is made again in 512ms: "
				+ "java.lang.IllegalStateException: no stock for 17");
		assertThat(((ThrowableProxy) this.lines.list.get(0).getThrowableProxy()).getThrowable())
			.as("the exception of the application, not what is around it")
			.isSameAs(own);
	}

	@Test
	void theOthersAreCountedAtIntervalsThatGrow() {
		for (int i = 0; i < 100; i++) {
			this.log.retried(record(i), 2, Duration.ofSeconds(1), thrown());
		}
		pass(9);
		assertThat(this.lines.list).hasSize(1);
		pass(2);
		assertThat(texts().get(1)).startsWith("orders: 99 more calls failed like this in the last 11 s, the last for "
				+ "topic-3@99, call 2 of 5: java.lang.IllegalStateException at io.evenkeel.kafka.failure.FailureLogTests");
		this.log.retried(record(100), 2, Duration.ofSeconds(1), thrown());
		pass(11);
		assertThat(this.lines.list).as("the second interval is longer").hasSize(2);
		pass(11);
		assertThat(texts().get(2)).startsWith("orders: 1 more call failed like this");
		pass(1000);
		assertThat(this.lines.list).as("nothing has failed").hasSize(3);
	}

	@Test
	void anotherPlaceOrClassIsAnotherKind() {
		this.log.retried(record(0), 1, Duration.ofSeconds(1), thrown());
		this.log.retried(record(1), 1, Duration.ofSeconds(1), new IllegalStateException("elsewhere"));
		this.log.retried(record(2), 1, Duration.ofSeconds(1), new IllegalArgumentException("elsewhere"));
		assertThat(this.lines.list).hasSize(3).allMatch((line) -> line.getThrowableProxy() != null);
	}

	@Test
	void whatIsGivenUpHasALineForEachRecord() {
		RuntimeException failure = thrown();
		this.log.retried(record(7), 1, Duration.ofSeconds(1), failure);
		this.log.ended(record(7), 5, failure, "sent to topic-dlt-3@17");
		this.log.ended(record(8), 1, failure, "skipped");
		assertThat(texts().get(1)).startsWith(
				"orders: topic-3@7 is sent to topic-dlt-3@17 after 5 calls: java.lang.IllegalStateException: thrown at io");
		assertThat(texts().get(2)).startsWith("orders: topic-3@8 is skipped after 1 call: ");
		assertThat(this.lines.list.get(1).getThrowableProxy()).isNull();
		pass(60);
		assertThat(this.lines.list).as("and is not counted once more").hasSize(3);
	}

	@Test
	void whatIsGivenUpAtOnceIsTheFirstOfItsKindToo() {
		this.log.ended(record(7), 0, thrown(), "skipped");
		assertThat(texts().get(0)).startsWith("orders: topic-3@7 is skipped: java.lang.IllegalStateException: thrown");
		assertThat(this.lines.list.get(0).getThrowableProxy()).isNotNull();
	}

	/** Red when what a converter could not read is repeated. */
	@Test
	void messagesThatQuoteTheRecordAreLeftOut() {
		for (Throwable failure : List.of(new MessageConversionException("Cannot convert [" + CANARY + "]"),
				new NumberFormatException("For input string: \"" + CANARY + "\""),
				new org.apache.kafka.common.errors.SerializationException("cannot read " + CANARY),
				new IllegalStateException(new NumberFormatException("For input string: \"" + CANARY + "\"")))) {
			this.log.ended(record(1), 1, failure, "skipped");
			this.log.ended(record(1), 1, failure, "skipped");
		}
		assertNoCanary();
		assertThat(texts()).allMatch((text) -> text.contains("its message is left out")).hasSize(8);
		assertThat(texts().get(0)).contains("\tat io.evenkeel.kafka.failure.FailureLogTests");
	}

	/** Red when the application's words are repeated as they are. */
	@Test
	void contentsOfTheRecordAreMaskedInTheApplicationsOwnWords() {
		Throwable failure = new IllegalStateException("no stock for " + CANARY,
				new IllegalArgumentException("bad: " + CANARY));
		for (ConsumerRecord<?, ?> record : List.of(new ConsumerRecord<Object, Object>("topic", 3, 1, CANARY, "v"),
				new ConsumerRecord<Object, Object>("topic", 3, 1, "k", CANARY.getBytes(StandardCharsets.UTF_8)),
				withHeader())) {
			FailureLog fresh = new FailureLog("orders", 5, true, () -> this.now);
			fresh.retried(record, 1, Duration.ofSeconds(1), failure);
			fresh.ended(record, 1, failure, "skipped");
		}
		assertNoCanary();
		assertThat(texts()).hasSize(6).allMatch((text) -> text.contains("no stock for […]"));
	}

	@Test
	void messagesAreLeftOutWhereTheyAreNotWanted() {
		FailureLog silent = new FailureLog("orders", 5, false, () -> this.now);
		silent.retried(record(1), 1, Duration.ofSeconds(1), new IllegalStateException(CANARY));
		silent.ended(record(1), 5, new IllegalStateException(CANARY), "skipped");
		assertNoCanary();
		assertThat(texts().get(0)).contains("java.lang.IllegalStateException", "\tat io.evenkeel.kafka.failure");
	}

	@Test
	void anExceptionThatCannotBeReadChangesNothing() {
		this.log.retried(record(1), 1, Duration.ofSeconds(1), new IllegalStateException() {
			@Override
			public String getMessage() {
				throw new IllegalStateException("simulated");
			}
		});
		this.log.retried(record(1), 1, Duration.ofSeconds(1), new IllegalStateException() {
			@Override
			public StackTraceElement[] getStackTrace() {
				throw new IllegalStateException("simulated");
			}
		});
		assertThat(this.lines.list).isNotEmpty();
	}

	@Test
	void exceptionsMadeOnTheFlyDoNotFillTheMemory() {
		for (int i = 0; i < 1000; i++) {
			RuntimeException failure = thrown();
			failure
				.setStackTrace(new StackTraceElement[] { new StackTraceElement("Made" + i, "call", "Made.java", i) });
			this.log.retried(record(i), 1, Duration.ofSeconds(1), failure);
		}
		assertThat(this.lines.list).hasSize(201);
	}

	private static ConsumerRecord<?, ?> withHeader() {
		ConsumerRecord<?, ?> record = new ConsumerRecord<Object, Object>("topic", 3, 1, "k", "v");
		record.headers().add("h", CANARY.getBytes(StandardCharsets.UTF_8));
		return record;
	}

	private void assertNoCanary() {
		for (ILoggingEvent line : this.lines.list) {
			assertThat(line.getFormattedMessage()).doesNotContain(CANARY);
			for (Throwable failure = throwable(line); failure != null; failure = failure.getCause()) {
				assertThat(failure.toString()).doesNotContain(CANARY);
			}
		}
	}

	private static Throwable throwable(ILoggingEvent line) {
		return (line.getThrowableProxy() instanceof ThrowableProxy proxy) ? proxy.getThrowable() : null;
	}

	private void pass(long seconds) {
		this.now += Duration.ofSeconds(seconds).toNanos();
		this.log.look();
	}

	private static RuntimeException thrown() {
		return new IllegalStateException("thrown");
	}

	private static ConsumerRecord<?, ?> record(long offset) {
		return new ConsumerRecord<Object, Object>("topic", 3, offset, "k", "v");
	}

	private List<String> texts() {
		return this.lines.list.stream().map(ILoggingEvent::getFormattedMessage).toList();
	}

}
