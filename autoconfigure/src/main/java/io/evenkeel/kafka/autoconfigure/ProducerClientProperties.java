package io.evenkeel.kafka.autoconfigure;

import java.time.Duration;
import java.util.List;
import java.util.Map;

import io.evenkeel.kafka.config.ClientKind;
import io.evenkeel.kafka.config.InvalidSettingException;
import io.evenkeel.kafka.config.Setting;
import org.apache.kafka.clients.CommonClientConfigs;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.config.SslConfigs;
import org.jspecify.annotations.Nullable;

import org.springframework.boot.kafka.autoconfigure.KafkaConnectionDetails;
import org.springframework.boot.kafka.autoconfigure.KafkaProperties;
import org.springframework.boot.kafka.autoconfigure.SslBundleSslEngineFactory;
import org.springframework.boot.ssl.SslBundle;
import org.springframework.util.StringUtils;

/**
 * The properties of the Kafka client: Boot's, with the connection details and our
 * delivery timeout applied.
 */
final class ProducerClientProperties {

	private static final int DEFAULT_REQUEST_TIMEOUT = 30_000;

	private ProducerClientProperties() {
	}

	static Map<String, Object> build(KafkaProperties properties, KafkaConnectionDetails connection,
			@Nullable Duration deliveryTimeout) {
		Map<String, Object> result = properties.buildProducerProperties();
		connect(result, connection.getProducer());
		if (deliveryTimeout != null) {
			result.put(ProducerConfig.DELIVERY_TIMEOUT_MS_CONFIG,
					(int) Math.min(deliveryTimeout.toMillis(), Integer.MAX_VALUE));
		}
		fitRequestTimeout(result, deliveryTimeout);
		return result;
	}

	/** Those of an admin client that looks at the same cluster. */
	static Map<String, Object> admin(KafkaProperties properties, KafkaConnectionDetails connection) {
		Map<String, Object> result = properties.buildAdminProperties();
		connect(result, connection.getAdmin());
		return result;
	}

	static void connect(Map<String, Object> properties, KafkaConnectionDetails.Configuration details) {
		properties.put(CommonClientConfigs.BOOTSTRAP_SERVERS_CONFIG, details.getBootstrapServers());
		if (StringUtils.hasLength(details.getSecurityProtocol())) {
			properties.put(CommonClientConfigs.SECURITY_PROTOCOL_CONFIG, details.getSecurityProtocol());
		}
		SslBundle bundle = details.getSslBundle();
		if (bundle != null) {
			properties.put(SslConfigs.SSL_ENGINE_FACTORY_CLASS_CONFIG, SslBundleSslEngineFactory.class);
			properties.put(SslBundle.class.getName(), bundle);
		}
	}

	/**
	 * The client wants its delivery timeout to be no shorter than linger and request
	 * timeout together; a request timeout that nobody chose gives way.
	 */
	private static void fitRequestTimeout(Map<String, Object> properties, @Nullable Duration deliveryTimeout) {
		Object delivery = properties.get(ProducerConfig.DELIVERY_TIMEOUT_MS_CONFIG);
		if (delivery == null) {
			return;
		}
		Object linger = properties.getOrDefault(ProducerConfig.LINGER_MS_CONFIG, 5);
		Object request = properties.get(ProducerConfig.REQUEST_TIMEOUT_MS_CONFIG);
		long room = number(delivery) - number(linger);
		Setting setting = (deliveryTimeout != null)
				? Setting.property(ProducerSettingsMapper.DELIVERY_TIMEOUT, deliveryTimeout)
				: client(ProducerConfig.DELIVERY_TIMEOUT_MS_CONFIG, delivery);
		if (room < 1) {
			throw new InvalidSettingException(List.of(setting, client(ProducerConfig.LINGER_MS_CONFIG, linger)),
					"a batch is sent only after linger.ms, and nothing could be delivered in time",
					"Write " + setting.name() + " longer than linger.ms, at least " + (number(linger) + 1)
							+ "ms, for example 120s.",
					null);
		}
		if (request == null) {
			properties.put(ProducerConfig.REQUEST_TIMEOUT_MS_CONFIG,
					(int) Math.max(1, Math.min(DEFAULT_REQUEST_TIMEOUT, room)));
		}
		else if (number(request) > room) {
			throw new InvalidSettingException(
					List.of(setting, client(ProducerConfig.REQUEST_TIMEOUT_MS_CONFIG, request)),
					"it must not be shorter than request.timeout.ms (" + request + ") and linger.ms (" + linger
							+ ") together",
					"Write " + setting.name() + "=" + (number(request) + number(linger))
							+ (deliveryTimeout != null ? "ms" : "") + " or more, or lower request.timeout.ms.",
					null);
		}
	}

	private static Setting client(String key, Object value) {
		return ClientKind.PRODUCER.setting(key, value, "the default of the Kafka client");
	}

	private static long number(Object value) {
		try {
			return Long.parseLong(value.toString().trim());
		}
		catch (NumberFormatException ex) {
			// The client itself names the property when it parses it.
			return 0;
		}
	}

}
