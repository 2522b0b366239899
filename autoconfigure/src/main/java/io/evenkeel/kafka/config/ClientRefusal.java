package io.evenkeel.kafka.config;

import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

import javax.security.auth.login.LoginException;

import org.apache.kafka.clients.CommonClientConfigs;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.common.config.ConfigException;
import org.jspecify.annotations.Nullable;

/**
 * Tells a configuration that a Kafka client will never take from trouble that may pass,
 * and says of which setting the client speaks.
 */
public final class ClientRefusal {

	private static final Pattern NAMED = Pattern.compile("configuration \"?([a-z0-9.]+[a-z0-9])");

	/** Names are resolved anew for each client: the next one may find them. */
	private static final String UNRESOLVED = "No resolvable bootstrap urls";

	private static final int DEPTH = 16;

	private ClientRefusal() {
	}

	/**
	 * Whether a client could not be made because of its configuration.
	 * @param failure what its constructor threw
	 * @return false when a later attempt may succeed
	 */
	public static boolean isFinal(Throwable failure) {
		boolean ofKafka = false;
		Throwable current = failure;
		for (int i = 0; current != null && i < DEPTH; i++) {
			if (mayPass(current)) {
				return false;
			}
			ofKafka |= current instanceof KafkaException;
			current = current.getCause();
		}
		return ofKafka;
	}

	/**
	 * Whether a client was refused its configuration by name.
	 * @param failure what its constructor threw
	 * @return true for a {@link ConfigException} that will come again
	 */
	public static boolean isConfig(Throwable failure) {
		return find(failure) != null && isFinal(failure);
	}

	private static boolean mayPass(Throwable failure) {
		if (failure instanceof ConfigException) {
			return String.valueOf(failure.getMessage()).startsWith(UNRESOLVED);
		}
		return failure instanceof LoginException || failure instanceof java.net.SocketException
				|| failure instanceof java.net.UnknownHostException
				|| failure instanceof java.net.SocketTimeoutException;
	}

	private static @Nullable ConfigException find(Throwable failure) {
		Throwable current = failure;
		for (int i = 0; current != null && i < DEPTH; i++) {
			if (current instanceof ConfigException found) {
				return found;
			}
			current = current.getCause();
		}
		return null;
	}

	/**
	 * Say what is wrong.
	 * @param kind which client
	 * @param failure what its constructor threw
	 * @param config the configuration
	 * @param owner whose client it is
	 * @return for a failure analysis
	 */
	public static InvalidSettingException explain(ClientKind kind, Throwable failure, Map<String, ?> config,
			String owner) {
		String message = message(failure);
		String key = key(kind, message, config);
		if (key == null) {
			return new InvalidSettingException(
					List.of(Setting.of("The configuration of the Kafka " + kind.role(), null, owner)),
					"the client cannot be made: " + message,
					"Correct what the client names, under spring.kafka." + kind.role() + " or where it is set in code.",
					failure);
		}
		Setting setting = kind.setting(key, config.get(key), owner);
		String reason = Setting.HIDDEN.equals(setting.value()) ? "its value is not valid" : message;
		return new InvalidSettingException(List.of(setting), "the Kafka " + kind.role() + " refuses it: " + reason,
				action(kind, key, message), failure);
	}

	private static String message(Throwable failure) {
		Throwable said = find(failure);
		if (said == null) {
			said = failure;
			for (int i = 0; said.getCause() != null && i < DEPTH; i++) {
				said = said.getCause();
			}
		}
		String message = String.valueOf(said.getMessage());
		if (message.contains("JAAS") || message.contains("jaas")) {
			// What could not be parsed may be a piece of a password.
			return "sasl.jaas.config cannot be read (" + said.getClass().getName() + ")";
		}
		if (!(said instanceof KafkaException)) {
			// A file that does not exist is all that such a message says.
			message = said.getClass().getSimpleName() + ": " + message;
		}
		return message.endsWith(".") ? message.substring(0, message.length() - 1) : message;
	}

	private static @Nullable String key(ClientKind kind, String message, Map<String, ?> config) {
		Set<String> known = kind.definition().names();
		Matcher named = NAMED.matcher(message);
		if (named.find() && known.contains(named.group(1))) {
			return named.group(1);
		}
		return known.stream()
			.filter((name) -> config.containsKey(name) && position(message, name) >= 0)
			.min(Comparator.comparingInt((name) -> position(message, name)))
			.orElseGet(() -> byValue(kind, message, config));
	}

	private static int position(String message, String name) {
		Matcher found = Pattern.compile("(?<![a-z0-9.])" + Pattern.quote(name) + "(?![a-z0-9.]*[a-z0-9])")
			.matcher(message);
		return found.find() ? found.start() : -1;
	}

	/** Files and classes are named without the setting that names them. */
	private static @Nullable String byValue(ClientKind kind, String message, Map<String, ?> config) {
		for (ConfigDef.ConfigKey key : kind.definition().configKeys().values()) {
			Object value = config.get(key.name);
			if (value != null && key.type != ConfigDef.Type.PASSWORD && String.valueOf(value).length() > 3
					&& message.contains(String.valueOf(value))) {
				return key.name;
			}
		}
		return null;
	}

	private static String action(ClientKind kind, String key, String message) {
		ConfigDef.ConfigKey known = kind.definition().configKeys().get(key);
		if (known == null || message.contains("cannot be set")) {
			return "Remove " + key + ", or correct what the client names beside it.";
		}
		String wanted = wanted(known);
		boolean optional = known.hasDefault() && known.defaultValue != null
				&& !String.valueOf(known.defaultValue).isEmpty();
		return "Write a valid value for " + key + (wanted.isEmpty() ? "" : " (" + wanted + ")")
				+ (optional ? ", or remove it." : ".");
	}

	private static String wanted(ConfigDef.ConfigKey key) {
		if (key.name.equals(CommonClientConfigs.BOOTSTRAP_SERVERS_CONFIG)) {
			return "host:port, several separated by commas";
		}
		String valid = (key.validator != null) ? String.valueOf(key.validator) : "";
		if (!valid.isEmpty() || key.type == null) {
			return valid;
		}
		return switch (key.type) {
			case BOOLEAN -> "true or false";
			case SHORT, INT, LONG, DOUBLE -> "a number";
			case CLASS -> "the name of a class of the application";
			case LIST, STRING, PASSWORD -> "";
		};
	}

}
