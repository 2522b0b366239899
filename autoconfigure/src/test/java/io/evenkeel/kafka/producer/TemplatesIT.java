package io.evenkeel.kafka.producer;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

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

}
