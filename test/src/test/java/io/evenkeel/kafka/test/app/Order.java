package io.evenkeel.kafka.test.app;

/**
 * What is ordered.
 *
 * @param item what
 * @param count how many
 */
public record Order(String item, int count) {

}
