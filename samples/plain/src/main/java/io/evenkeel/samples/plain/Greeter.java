package io.evenkeel.samples.plain;

import org.springframework.kafka.annotation.KafkaListener;
import org.springframework.kafka.core.KafkaTemplate;
import org.springframework.stereotype.Component;

/**
 * Handles a record and sends one.
 */
@Component
class Greeter {

	static final String NAMES = "names";

	static final String GREETINGS = "greetings";

	private final KafkaTemplate<String, String> template;

	Greeter(KafkaTemplate<String, String> template) {
		this.template = template;
	}

	@KafkaListener(id = "greeter", topics = NAMES)
	void greet(String name) {
		this.template.send(GREETINGS, name, "Hello, " + name);
	}

}
