package io.evenkeel.samples.minimal;

import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;

/**
 * Answers names with greetings.
 */
@SpringBootApplication
public class MinimalApplication {

	/**
	 * Start it.
	 * @param args its arguments
	 */
	public static void main(String[] args) {
		SpringApplication.run(MinimalApplication.class, args);
	}

}
