package io.evenkeel.samples.transactions;

import io.evenkeel.kafka.test.AutoConfigureTestKafka;
import io.evenkeel.kafka.test.Delivery;
import io.evenkeel.kafka.test.StoredRecord;
import io.evenkeel.kafka.test.TestKafka;
import org.junit.jupiter.api.Test;

import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.test.context.bean.override.mockito.MockitoSpyBean;

import static org.assertj.core.api.Assertions.assertThat;
import static org.mockito.BDDMockito.willThrow;

/**
 * All or nothing, and no row twice.
 */
@SpringBootTest
@AutoConfigureTestKafka
class TransferListenerTests {

	@Autowired
	private TestKafka kafka;

	@MockitoSpyBean
	private Accounts accounts;

	@Test
	void aTransferLeavesBothBookings() {
		this.kafka.deliver("transfers", "1").awaitSuccess().awaitCommitted();
		assertThat(this.kafka.records("bookings")).extracting(StoredRecord::value)
			.containsExactly("debit 1", "credit 1");
	}

	@Test
	void whatAFailedCallHasSentIsNotThere() {
		willThrow(new IllegalStateException("no cover")).willCallRealMethod().given(this.accounts).check("2");
		Delivery transfer = this.kafka.deliver("transfers", "2");
		transfer.awaitFailure();
		assertThat(this.kafka.records("bookings")).isEmpty();
		transfer.letRetriesRun();
		transfer.awaitCommitted();
		assertThat(this.kafka.records("bookings")).extracting(StoredRecord::value)
			.containsExactly("debit 2", "credit 2");
	}

	@Test
	void aCustomerThatComesTwiceHasOneAccount() {
		this.kafka.deliver("customers", "ada").awaitSuccess().awaitCommitted();
		this.kafka.lose("customers").await();
		this.kafka.giveBack();
		this.kafka.deliver("customers", "ada").awaitSuccess();
		assertThat(this.accounts.count()).isOne();
	}

}
