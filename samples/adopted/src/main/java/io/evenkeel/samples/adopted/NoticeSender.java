package io.evenkeel.samples.adopted;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import org.springframework.kafka.core.KafkaTemplate;
import org.springframework.stereotype.Service;

/**
 * Sends notices.
 */
@Service
public class NoticeSender {

	private static final Logger log = LoggerFactory.getLogger(NoticeSender.class);

	private final KafkaTemplate<String, Notice> kafkaTemplate;

	public NoticeSender(KafkaTemplate<String, Notice> kafkaTemplate) {
		this.kafkaTemplate = kafkaTemplate;
	}

	public void send(Notice notice) {
		this.kafkaTemplate.send("notices", notice.parcel(), notice).whenComplete((result, ex) -> {
			if (ex != null) {
				log.error("Notice for parcel {} was not sent", notice.parcel(), ex);
			}
			else {
				log.info("Notice for parcel {} sent with offset {}", notice.parcel(),
						result.getRecordMetadata().offset());
			}
		});
	}

}
