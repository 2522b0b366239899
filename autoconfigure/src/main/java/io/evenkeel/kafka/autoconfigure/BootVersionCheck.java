package io.evenkeel.kafka.autoconfigure;

import org.jspecify.annotations.Nullable;

import org.springframework.boot.SpringBootVersion;
import org.springframework.boot.context.event.ApplicationEnvironmentPreparedEvent;
import org.springframework.context.ApplicationListener;

/**
 * Ends the start on another line of Spring Boot than the one that this starter is made
 * for, in one sentence and before a class or a method turns out to be missing. Uses only
 * what all lines have.
 */
final class BootVersionCheck implements ApplicationListener<ApplicationEnvironmentPreparedEvent> {

	static final String LINE = "4.1";

	BootVersionCheck() {
	}

	@Override
	public void onApplicationEvent(ApplicationEnvironmentPreparedEvent event) {
		check(SpringBootVersion.getVersion());
	}

	/**
	 * Refuse another line.
	 * @param version the version of Spring Boot, {@code null} if it is not known
	 */
	static void check(@Nullable String version) {
		if (version != null && !version.startsWith(LINE + ".")) {
			throw new UnsupportedBootException(version);
		}
	}

}
