package io.evenkeel.kafka.test.app;

import org.springframework.stereotype.Component;

/**
 * What a slice leaves out.
 */
@Component
public class Unrelated {

}
