package io.evenkeel.samples.transactions;

import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;

/**
 * Moves money between topics, and opens accounts in a database.
 */
@SpringBootApplication
public class TransactionsApplication {

	/**
	 * Start it.
	 * @param args its arguments
	 */
	public static void main(String[] args) {
		SpringApplication.run(TransactionsApplication.class, args);
	}

}
