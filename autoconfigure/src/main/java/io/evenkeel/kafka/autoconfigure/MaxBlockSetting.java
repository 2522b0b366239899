package io.evenkeel.kafka.autoconfigure;

import java.util.List;

import io.evenkeel.kafka.config.ClientKind;
import io.evenkeel.kafka.config.InvalidSettingException;
import io.evenkeel.kafka.config.Setting;
import org.apache.commons.logging.Log;
import org.apache.commons.logging.LogFactory;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.jspecify.annotations.Nullable;

import org.springframework.boot.context.properties.source.ConfigurationProperty;
import org.springframework.core.env.Environment;

/**
 * What the user set {@code max.block.ms} to, a common cure for the sixty seconds that a
 * stock producer may hold its caller.
 */
final class MaxBlockSetting {

	static final String METADATA_TIMEOUT = EvenkeelProducerProperties.PREFIX + ".metadata.timeout";

	private static final Log logger = LogFactory.getLog(MaxBlockSetting.class);

	private MaxBlockSetting() {
	}

	/**
	 * Refuse a value that cannot be meant, and say what becomes of any other.
	 * @param environment the environment
	 * @param configured the value in the client's properties, {@code null} if there is
	 * none
	 */
	static void check(Environment environment, @Nullable Object configured) {
		if (configured == null) {
			return;
		}
		Setting setting = ClientKind.PRODUCER.setting(ProducerConfig.MAX_BLOCK_MS_CONFIG, configured,
				"the configuration of the producer factory");
		ConfigurationProperty timeout = new PropertyLookup(environment).find(METADATA_TIMEOUT);
		if (timeout != null) {
			throw new InvalidSettingException(List.of(setting, Setting.property(METADATA_TIMEOUT, timeout.getValue())),
					"both limit how long a record waits until it is handed to the Kafka client",
					"Remove max.block.ms and keep " + METADATA_TIMEOUT + "=" + timeout.getValue() + ".", null);
		}
		if (millis(setting, configured) == 0) {
			logger.info("'max.block.ms=" + configured + "' is taken as '" + METADATA_TIMEOUT
					+ "=1ms': a record whose topic is not known yet fails at once");
			return;
		}
		logger.info("'max.block.ms=" + configured + "' is taken as '" + METADATA_TIMEOUT
				+ "': it limits how long a record waits, a send itself never does");
	}

	/** The client's own range. */
	private static long millis(Setting setting, Object value) {
		try {
			long millis = Long.parseLong(value.toString().trim());
			if (millis >= 0) {
				return millis;
			}
		}
		catch (NumberFormatException ex) {
			// refused below, with the name of the property
		}
		throw new InvalidSettingException(setting, "it must be a number of milliseconds, at least 0",
				"Remove max.block.ms and write " + METADATA_TIMEOUT + ", for example " + METADATA_TIMEOUT + "=10s.");
	}

}
