package io.evenkeel.kafka.producer;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;

import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

import org.springframework.kafka.support.KafkaHeaders;
import org.springframework.kafka.support.SendResult;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * What an application may rely on with the stock template, and so with ours: each test
 * runs on both.
 */
class TemplatesIT {

	@ParameterizedTest
	@EnumSource(Templates.class)
	void whatIsSentIsStoredInOrder(Templates which) {
		try (TemplateRig rig = new TemplateRig(which)) {
			String topic = rig.topic(1);
			List<CompletableFuture<SendResult<String, String>>> sends = new ArrayList<>();
			List<String> values = new ArrayList<>();
			for (int i = 0; i < 20; i++) {
				values.add("v" + i);
				sends.add(rig.template().send(topic, "key", "v" + i));
			}
			sends.forEach(CompletableFuture::join);
			assertThat(rig.values(topic)).isEqualTo(values);
		}
	}

	/**
	 * With stock containers it is not there to be forwarded, unless somebody asks for it.
	 */
	@ParameterizedTest
	@ValueSource(booleans = { false, true })
	void theDeliveryAttemptOfAConsumedRecordIsNotForwarded(boolean transactional) {
		try (TemplateRig rig = transactional ? new TemplateRig(Templates.EVENKEEL).transactional()
				: new TemplateRig(Templates.EVENKEEL)) {
			String topic = rig.topic(1);
			Headers consumed = new RecordHeaders().add("tenant", new byte[] { 1 })
				.add(KafkaHeaders.DELIVERY_ATTEMPT, new byte[] { 0, 0, 0, 1 });
			ProducerRecord<String, String> forwarded = new ProducerRecord<>(topic, null, "key", "value", consumed);
			((RecordHeaders) forwarded.headers()).setReadOnly();
			if (transactional) {
				rig.template().executeInTransaction((operations) -> operations.send(forwarded));
			}
			else {
				rig.template().send(forwarded).join();
			}
			assertThat(rig.records(topic)).singleElement()
				.satisfies((record) -> assertThat(record.headers().toArray()).extracting(Header::key)
					.containsExactly("tenant"));
			assertThat(consumed.lastHeader(KafkaHeaders.DELIVERY_ATTEMPT)).isNotNull();
		}
	}

}
