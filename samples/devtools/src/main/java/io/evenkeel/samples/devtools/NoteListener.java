package io.evenkeel.samples.devtools;

import org.springframework.kafka.annotation.KafkaListener;
import org.springframework.kafka.core.KafkaTemplate;
import org.springframework.stereotype.Component;

/**
 * Copies each note and says so.
 */
@Component
class NoteListener {

	private final KafkaTemplate<String, String> template;

	NoteListener(KafkaTemplate<String, String> template) {
		this.template = template;
	}

	@KafkaListener(id = "notes", topics = "notes")
	void onNote(String note) {
		this.template.send("copies", note).join();
		Report.line("note " + note);
	}

}
