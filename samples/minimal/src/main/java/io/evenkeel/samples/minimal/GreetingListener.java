package io.evenkeel.samples.minimal;

import org.springframework.kafka.annotation.KafkaListener;
import org.springframework.kafka.core.KafkaTemplate;
import org.springframework.kafka.support.KafkaHeaders;
import org.springframework.messaging.handler.annotation.Header;
import org.springframework.messaging.handler.annotation.Payload;
import org.springframework.stereotype.Component;
import org.springframework.util.Assert;

/**
 * Answers names with greetings; a blank name is an error.
 */
@Component
class GreetingListener {

	private final KafkaTemplate<String, String> template;

	GreetingListener(KafkaTemplate<String, String> template) {
		this.template = template;
	}

	@KafkaListener(id = "greetings", topics = "names", concurrency = "16")
	void greet(@Header(KafkaHeaders.RECEIVED_KEY) String guest, @Payload String name) {
		Assert.hasText(name, "A name must not be blank");
		this.template.send("greetings", guest, "Hello, " + name);
	}

}
