package io.evenkeel.kafka.test;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Inherited;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

import org.junit.jupiter.api.extension.ExtendWith;

/**
 * Lets the whole application of a {@code @SpringBootTest} run on a {@link TestKafka} in
 * place of brokers. Tests without this annotation are not touched: those with
 * {@code @EmbeddedKafka} or a container with {@code @ServiceConnection} talk to their
 * brokers.
 */
@Target(ElementType.TYPE)
@Retention(RetentionPolicy.RUNTIME)
@Documented
@Inherited
@ExtendWith(TestKafkaExtension.class)
public @interface AutoConfigureTestKafka {

}
