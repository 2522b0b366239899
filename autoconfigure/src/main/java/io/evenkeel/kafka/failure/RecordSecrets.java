package io.evenkeel.kafka.failure;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.header.Header;
import org.jspecify.annotations.Nullable;

/**
 * What a record holds, as a message might repeat it. Short contents are left alone: an
 * order's number in the application's own words is what an operator looks for, and a word
 * like {@code ok} says nothing.
 */
final class RecordSecrets {

	private static final int SHORTEST = 12;

	private static final int LONGEST = 10_000;

	static final String MASK = "[…]";

	private final List<String> texts = new ArrayList<>();

	private RecordSecrets() {
	}

	static RecordSecrets of(ConsumerRecord<?, ?> record) {
		RecordSecrets secrets = new RecordSecrets();
		secrets.add(record.key());
		secrets.add(record.value());
		for (Header header : record.headers()) {
			secrets.add(header.value());
		}
		// The longest first: one may be a part of another.
		secrets.texts.sort((one, other) -> other.length() - one.length());
		return secrets;
	}

	private void add(@Nullable Object content) {
		String text;
		try {
			text = (content instanceof byte[] bytes) ? new String(bytes, StandardCharsets.UTF_8)
					: String.valueOf(content);
		}
		catch (RuntimeException | Error ex) {
			return;
		}
		if (text.length() >= SHORTEST && text.length() <= LONGEST) {
			this.texts.add(text);
		}
	}

	boolean isIn(@Nullable String message) {
		return message != null && this.texts.stream().anyMatch(message::contains);
	}

	String masked(String message) {
		String masked = message;
		for (String text : this.texts) {
			masked = masked.replace(text, MASK);
		}
		return masked;
	}

}
