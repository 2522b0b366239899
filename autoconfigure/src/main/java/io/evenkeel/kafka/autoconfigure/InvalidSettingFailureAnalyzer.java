package io.evenkeel.kafka.autoconfigure;

import java.util.List;
import java.util.stream.Collectors;

import io.evenkeel.kafka.config.InvalidSettingException;
import io.evenkeel.kafka.config.Setting;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.context.properties.source.ConfigurationProperty;
import org.springframework.boot.convert.DurationStyle;
import org.springframework.boot.diagnostics.AbstractFailureAnalyzer;
import org.springframework.boot.diagnostics.FailureAnalysis;
import org.springframework.core.env.Environment;
import org.springframework.core.env.StandardEnvironment;

/**
 * Says what is wrong with a configuration: the properties, their values, where they came
 * from, and what to write.
 */
final class InvalidSettingFailureAnalyzer extends AbstractFailureAnalyzer<InvalidSettingException> {

	private final PropertyLookup lookup;

	InvalidSettingFailureAnalyzer(@Nullable Environment environment) {
		this.lookup = new PropertyLookup((environment != null) ? environment : new StandardEnvironment());
	}

	@Override
	protected FailureAnalysis analyze(Throwable rootFailure, InvalidSettingException cause) {
		List<Setting> settings = cause.getSettings();
		String named = settings.stream().map(this::line).collect(Collectors.joining(" beside "));
		return new FailureAnalysis(named + ": " + cause.getReason() + ".", cause.getAction(), cause);
	}

	private String line(Setting setting) {
		String value = setting.value();
		for (String spelling : setting.spellings()) {
			ConfigurationProperty found = this.lookup.find(spelling);
			if (found != null && isSame(this.lookup.text(found), value)) {
				String shown = Setting.HIDDEN.equals(value) ? value : this.lookup.text(found);
				return PropertyLookup.line(spelling, shown, found);
			}
		}
		if (setting.origin() != null) {
			return setting + " (from " + setting.origin() + ")";
		}
		ConfigurationProperty found = this.lookup.find(setting.name());
		if (found == null) {
			return setting.toString();
		}
		return PropertyLookup.line(setting.name(), this.lookup.text(found), found);
	}

	/** Durations are set in words and arrive as milliseconds. */
	private static boolean isSame(String written, @Nullable String value) {
		if (value == null || value.equals(Setting.HIDDEN)) {
			return value != null;
		}
		String text = written.trim();
		if (text.equalsIgnoreCase(value) || text.replaceAll("\\s*,\\s*", ",").equals(value)) {
			return true;
		}
		try {
			return String.valueOf(DurationStyle.detectAndParse(text).toMillis()).equals(value);
		}
		catch (IllegalArgumentException ex) {
			return false;
		}
	}

}
