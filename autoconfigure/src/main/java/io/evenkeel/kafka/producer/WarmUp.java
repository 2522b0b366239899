package io.evenkeel.kafka.producer;

import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.config.AbstractConfig;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/**
 * Loads the classes of the sending path before the first send needs them: loading them
 * takes some hundred milliseconds on a busy machine, which the first sender would be
 * held. Touches neither the network nor the user's serializers.
 */
final class WarmUp {

	private WarmUp() {
	}

	static void run(Map<String, Object> configs, ProducerRuntime runtime) {
		try {
			Map<String, Object> own = new HashMap<>(configs);
			own.put(ProducerConfig.KEY_SERIALIZER_CLASS_CONFIG, ByteArraySerializer.class);
			own.put(ProducerConfig.VALUE_SERIALIZER_CLASS_CONFIG, ByteArraySerializer.class);
			new AbstractConfig(ProducerConfig.configDef(), own, false);
			ClientSpec<byte[], byte[]> spec = new ClientSpec<>("warm-up", List.of(), new ByteArraySerializer(),
					new ByteArraySerializer(), 1, Duration.ofSeconds(1), (key, value) -> {
						throw new IllegalStateException("never made");
					});
			SendingProducer<byte[], byte[]> producer = new SendingProducer<>(spec, ProducerSettings.DEFAULTS, runtime,
					new ProducerRegistry((any) -> SendObserver.NONE), ClientLife.Events.none());
			// The one name is refused because it is none, the other because of the size.
			producer.send(new ProducerRecord<>("warm up", new byte[1]));
			producer.send(new ProducerRecord<>("warm-up", new byte[1]), (metadata, exception) -> {
			});
			producer.close(Duration.ZERO);
		}
		catch (RuntimeException | LinkageError ex) {
			// Whatever is wrong is told to the first sender, who asked for it.
		}
	}

}
