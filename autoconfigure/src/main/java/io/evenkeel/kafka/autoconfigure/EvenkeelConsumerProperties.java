package io.evenkeel.kafka.autoconfigure;

import java.util.LinkedHashMap;
import java.util.Map;

import org.springframework.boot.context.properties.ConfigurationProperties;

/**
 * Properties of Evenkeel's consumer container.
 */
@ConfigurationProperties(EvenkeelConsumerProperties.PREFIX)
public class EvenkeelConsumerProperties extends ConsumerSettingsProperties {

	static final String PREFIX = "evenkeel.kafka.consumer";

	/**
	 * Whether listeners run on Evenkeel's container; otherwise on Boot's own.
	 */
	private boolean enabled = true;

	/**
	 * Whether container factories that the application declares are taken over, when
	 * their class is 'ConcurrentKafkaListenerContainerFactory'.
	 */
	private boolean adoptFactories = true;

	/**
	 * Settings of single listeners, by the id of their '@KafkaListener'. What is not set
	 * there is as for all listeners. An id with dots stands in brackets, as in
	 * 'listeners[my.listener].concurrency'.
	 */
	private final Map<String, ConsumerSettingsProperties> listeners = new LinkedHashMap<>();

	public boolean isEnabled() {
		return this.enabled;
	}

	public void setEnabled(boolean enabled) {
		this.enabled = enabled;
	}

	public boolean isAdoptFactories() {
		return this.adoptFactories;
	}

	public void setAdoptFactories(boolean adoptFactories) {
		this.adoptFactories = adoptFactories;
	}

	public Map<String, ConsumerSettingsProperties> getListeners() {
		return this.listeners;
	}

}
