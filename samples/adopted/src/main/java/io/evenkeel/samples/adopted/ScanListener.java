package io.evenkeel.samples.adopted;

import org.springframework.kafka.annotation.KafkaHandler;
import org.springframework.kafka.annotation.KafkaListener;
import org.springframework.kafka.support.Acknowledgment;
import org.springframework.stereotype.Component;

/**
 * Follows parcels on their way.
 */
@Component
@KafkaListener(id = "scans", topics = "scans", groupId = "scan-service")
public class ScanListener {

	private final NoticeSender notices;

	public ScanListener(NoticeSender notices) {
		this.notices = notices;
	}

	@KafkaHandler
	public void onScan(Scan scan, Acknowledgment acknowledgment) {
		this.notices.send(new Notice(scan.parcel(), "Your parcel is in " + scan.place()));
		acknowledgment.acknowledge();
	}

	@KafkaHandler
	public void onDelivery(Delivery delivery, Acknowledgment acknowledgment) {
		this.notices.send(new Notice(delivery.parcel(), "Your parcel has arrived"));
		acknowledgment.acknowledge();
	}

	@KafkaHandler(isDefault = true)
	public void onOther(Object other, Acknowledgment acknowledgment) {
		acknowledgment.acknowledge();
	}

}
