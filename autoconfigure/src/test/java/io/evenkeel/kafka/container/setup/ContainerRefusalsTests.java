package io.evenkeel.kafka.container.setup;

import io.evenkeel.kafka.config.InvalidSettingException;
import io.evenkeel.kafka.container.call.ListenerTarget;
import io.evenkeel.kafka.container.listener.ContainerSettings;
import org.junit.jupiter.api.Test;

import org.springframework.kafka.listener.ContainerProperties;
import org.springframework.kafka.listener.MessageListener;
import org.springframework.transaction.TransactionDefinition;
import org.springframework.transaction.support.DefaultTransactionDefinition;

import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatNoException;

class ContainerRefusalsTests {

	/** Red when a listener starts whose every call would fail. */
	@Test
	void aTransactionThatCallsCannotBegin() {
		assertThatExceptionOfType(InvalidSettingException.class)
			.isThrownBy(() -> check(TransactionDefinition.PROPAGATION_MANDATORY))
			.withMessageContaining("listener 'orders'")
			.withMessageContaining("transactionDefinition");
		assertThatNoException().isThrownBy(() -> check(TransactionDefinition.PROPAGATION_REQUIRES_NEW));
	}

	private static void check(int propagation) {
		ContainerProperties properties = new ContainerProperties("orders");
		properties.setTransactionDefinition(new DefaultTransactionDefinition(propagation));
		ContainerRefusals.check("orders", properties, ContainerSettings.defaults(),
				new ListenerTarget((MessageListener<Object, Object>) (record) -> {
				}));
	}

}
