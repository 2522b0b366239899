package io.evenkeel.kafka.autoconfigure;

import org.jspecify.annotations.Nullable;

/**
 * Thrown when both {@code max.block.ms} and {@code metadata.timeout} are set: they mean
 * the same.
 */
final class MaxBlockConflictException extends RuntimeException {

	private static final long serialVersionUID = 1L;

	private final String property;

	private final String value;

	private final @Nullable String origin;

	private final String timeout;

	private final @Nullable String timeoutOrigin;

	MaxBlockConflictException(String property, String value, @Nullable String origin, String timeout,
			@Nullable String timeoutOrigin) {
		super("'" + property + "' and '" + MaxBlockSetting.METADATA_TIMEOUT + "' are both set");
		this.property = property;
		this.value = value;
		this.origin = origin;
		this.timeout = timeout;
		this.timeoutOrigin = timeoutOrigin;
	}

	String getDescription() {
		return "The wait for metadata is limited twice:\n\n    " + line(this.property, this.value, this.origin)
				+ "\n    " + line(MaxBlockSetting.METADATA_TIMEOUT, this.timeout, this.timeoutOrigin)
				+ "\n\nBoth mean the longest wait of a record until it is handed to the Kafka client.";
	}

	String getAction() {
		return "Remove '" + this.property + "' and keep '" + MaxBlockSetting.METADATA_TIMEOUT + "', for example "
				+ MaxBlockSetting.METADATA_TIMEOUT + "=" + this.timeout + ".";
	}

	private static String line(String name, String value, @Nullable String origin) {
		return name + "=" + value + ((origin != null) ? " (from " + origin + ")" : "");
	}

}
