package io.evenkeel.kafka.test.app;

import org.springframework.boot.autoconfigure.SpringBootApplication;

/**
 * The application under test, in a package of its own as a user's is.
 */
@SpringBootApplication
public class OrdersApplication {

}
