package io.evenkeel.kafka.config;

import java.util.List;
import java.util.stream.Collectors;

import org.jspecify.annotations.Nullable;

/**
 * Something cannot run with what was configured. Carries what a failure analysis needs:
 * the settings with their values and origins, why they are refused, and what to write
 * instead.
 */
public class InvalidSettingException extends IllegalStateException {

	private static final long serialVersionUID = 1L;

	private final transient List<Setting> settings;

	private final String reason;

	private final String action;

	/**
	 * Refuse a setting.
	 * @param setting what is refused
	 * @param reason why, a sentence without its full stop
	 * @param action what to write, a sentence
	 */
	public InvalidSettingException(Setting setting, String reason, String action) {
		this(List.of(setting), reason, action, null);
	}

	/**
	 * Refuse settings that do not go together.
	 * @param settings the one to change, then those beside it
	 * @param reason why, a sentence without its full stop
	 * @param action what to write, a sentence
	 * @param cause what said so, null when nobody did
	 */
	public InvalidSettingException(List<Setting> settings, String reason, String action, @Nullable Throwable cause) {
		super(settings.stream().map(Setting::toString).collect(Collectors.joining(" beside ")) + ": " + reason, cause);
		this.settings = List.copyOf(settings);
		this.reason = reason;
		this.action = action;
	}

	public List<Setting> getSettings() {
		return this.settings;
	}

	public String getReason() {
		return this.reason;
	}

	public String getAction() {
		return this.action;
	}

}
