package io.evenkeel.kafka.producer;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;

import org.apache.commons.logging.Log;
import org.apache.commons.logging.LogFactory;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.jspecify.annotations.Nullable;

import org.springframework.kafka.support.ProducerListener;

/**
 * Logs the sends that failed: the first of a topic and a reason at once, those of the
 * next second as a number. Never what was sent, and no stack trace: the message says what
 * there is to say.
 * <p>
 * <b>Threading.</b> Any thread. <b>Why.</b> It is called on the thread that ends futures,
 * and ten thousand records may fail together: a line of its own for each, with a stack
 * trace, took seconds, and the futures of the last ones that much longer.
 *
 * @param <K> the type of keys
 * @param <V> the type of values
 */
public class SendFailureLog<K, V> implements ProducerListener<K, V> {

	private static final Log logger = LogFactory.getLog(SendFailureLog.class);

	private static final long BURST = TimeUnit.SECONDS.toNanos(1);

	private final Map<Kind, Integer> bursts = new ConcurrentHashMap<>();

	private final ProducerRuntime.Later later;

	/**
	 * Make a log.
	 */
	public SendFailureLog() {
		this(ProducerRuntime.SYSTEM.later());
	}

	SendFailureLog(ProducerRuntime.Later later) {
		this.later = later;
	}

	@Override
	public void onError(ProducerRecord<K, V> producerRecord, @Nullable RecordMetadata recordMetadata,
			@Nullable Exception exception) {
		SendFailedException failure = (exception instanceof SendFailedException known) ? known : null;
		Kind kind = new Kind(producerRecord.topic(),
				(failure != null) ? failure.getReason().name() : String.valueOf(className(exception)));
		if (this.bursts.compute(kind, (key, more) -> (more != null) ? more + 1 : 0) > 0) {
			return;
		}
		// Of others the name only: their messages may hold what was sent.
		logger.error((failure != null) ? failure.getMessage()
				: "Send to topic '" + TopicNames.printable(kind.topic()) + "' failed: " + kind.reason());
		this.later.after(BURST, () -> over(kind));
	}

	private void over(Kind kind) {
		Integer more = this.bursts.remove(kind);
		if (more != null && more > 0) {
			logger.error(more + " more sends to topic '" + TopicNames.printable(kind.topic())
					+ "' failed within a second: " + kind.reason());
		}
	}

	private static @Nullable String className(@Nullable Exception exception) {
		return (exception != null) ? exception.getClass().getName() : null;
	}

	private record Kind(String topic, String reason) {

	}

}
