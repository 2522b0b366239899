package io.evenkeel.samples.migrating;

import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;

/**
 * Stores invoices, on whichever container.
 */
@SpringBootApplication
public class MigratingApplication {

	/**
	 * Start it.
	 * @param args its arguments
	 */
	public static void main(String[] args) {
		SpringApplication.run(MigratingApplication.class, args);
	}

}
