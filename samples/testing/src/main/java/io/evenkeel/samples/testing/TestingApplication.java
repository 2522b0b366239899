package io.evenkeel.samples.testing;

import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;

/**
 * Takes payments from a topic, and writes receipts to another.
 */
@SpringBootApplication
public class TestingApplication {

	/**
	 * Start it.
	 * @param args its arguments
	 */
	public static void main(String[] args) {
		SpringApplication.run(TestingApplication.class, args);
	}

}
