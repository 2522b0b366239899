package io.evenkeel.samples.transactions;

import javax.sql.DataSource;

import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.jdbc.support.JdbcTransactionManager;

/**
 * Those of the database have a name of their own beside Kafka's.
 */
@Configuration(proxyBeanMethods = false)
class DatabaseTransactions {

	@Bean
	JdbcTransactionManager accountTransactions(DataSource dataSource) {
		return new JdbcTransactionManager(dataSource);
	}

}
