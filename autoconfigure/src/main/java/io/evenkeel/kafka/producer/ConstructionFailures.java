package io.evenkeel.kafka.producer;

import javax.security.auth.login.LoginException;

import org.apache.kafka.common.security.ssl.SslFactory;
import org.jspecify.annotations.Nullable;

/**
 * Finds out why a client could not be constructed: the client gives all causes one type.
 */
final class ConstructionFailures {

	private static final String TLS_PACKAGE = SslFactory.class.getPackageName();

	private ConstructionFailures() {
	}

	static Diagnosis classify(Throwable exception, boolean noNameResolves) {
		if (noNameResolves) {
			return new Diagnosis(FailureReason.DNS_RESOLUTION, "no bootstrap server's name can be resolved", exception);
		}
		for (@Nullable
		Throwable cause = exception; cause != null; cause = cause.getCause()) {
			if (cause instanceof LoginException) {
				return new Diagnosis(FailureReason.AUTHENTICATION, "the login of the client failed", exception);
			}
			if (comesFrom(cause, TLS_PACKAGE)) {
				return new Diagnosis(FailureReason.TLS, "the TLS key or trust material cannot be used", exception);
			}
		}
		return new Diagnosis(FailureReason.PRODUCER_FATAL, "the client cannot be constructed", exception);
	}

	private static boolean comesFrom(Throwable exception, String packageName) {
		StackTraceElement[] trace = exception.getStackTrace();
		return trace.length > 0 && trace[0].getClassName().startsWith(packageName);
	}

}
