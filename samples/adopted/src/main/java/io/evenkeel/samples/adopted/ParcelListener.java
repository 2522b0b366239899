package io.evenkeel.samples.adopted;

import org.springframework.kafka.annotation.KafkaListener;
import org.springframework.kafka.support.Acknowledgment;
import org.springframework.kafka.support.KafkaHeaders;
import org.springframework.messaging.handler.annotation.Header;
import org.springframework.messaging.handler.annotation.Payload;
import org.springframework.stereotype.Component;

/**
 * Takes in parcels.
 */
@Component
public class ParcelListener {

	private final NoticeSender notices;

	public ParcelListener(NoticeSender notices) {
		this.notices = notices;
	}

	@KafkaListener(id = "parcels", topics = "parcels", groupId = "parcel-service")
	public void onParcel(@Payload Parcel parcel, @Header(KafkaHeaders.RECEIVED_KEY) String key,
			@Header(KafkaHeaders.RECEIVED_PARTITION) int partition, Acknowledgment acknowledgment) {
		this.notices.send(new Notice(key, "%s, a parcel is on its way to you".formatted(parcel.recipient())));
		acknowledgment.acknowledge();
	}

}
