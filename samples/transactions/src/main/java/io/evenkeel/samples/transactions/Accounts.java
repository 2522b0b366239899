package io.evenkeel.samples.transactions;

import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Service;
import org.springframework.transaction.annotation.Transactional;

/**
 * The accounts in the database.
 */
@Service
class Accounts {

	private final JdbcClient jdbc;

	Accounts(JdbcClient jdbc) {
		this.jdbc = jdbc;
	}

	void check(String transfer) {
	}

	@Transactional("accountTransactions")
	public void open(String customer) {
		this.jdbc.sql("merge into account (customer) key (customer) values (?)").param(customer).update();
	}

	int count() {
		return this.jdbc.sql("select count(*) from account").query(Integer.class).single();
	}

}
