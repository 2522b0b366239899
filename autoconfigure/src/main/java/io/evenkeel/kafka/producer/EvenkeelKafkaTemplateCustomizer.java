package io.evenkeel.kafka.producer;

/**
 * Callback for the auto-configured template, called last. Public API.
 */
@FunctionalInterface
public interface EvenkeelKafkaTemplateCustomizer {

	/**
	 * Change the template.
	 * @param template the template
	 */
	void customize(EvenkeelKafkaTemplate<?, ?> template);

}
