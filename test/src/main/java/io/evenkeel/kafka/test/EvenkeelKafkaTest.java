package io.evenkeel.kafka.test;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Inherited;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

import org.junit.jupiter.api.extension.ExtendWith;

import org.springframework.boot.autoconfigure.ImportAutoConfiguration;
import org.springframework.boot.test.autoconfigure.OverrideAutoConfiguration;
import org.springframework.boot.test.context.filter.annotation.TypeExcludeFilters;
import org.springframework.context.annotation.ComponentScan.Filter;
import org.springframework.core.annotation.AliasFor;
import org.springframework.test.context.BootstrapWith;
import org.springframework.test.context.junit.jupiter.SpringExtension;

/**
 * A test of listeners and sends alone: of the application's components it starts those
 * with {@code @KafkaListener} methods, and of the auto-configuration what concerns Kafka
 * and JSON, on a {@link TestKafka} in place of brokers. What they need else is given by
 * {@code @MockitoBean} or {@code @Import}.
 */
@Target(ElementType.TYPE)
@Retention(RetentionPolicy.RUNTIME)
@Documented
@Inherited
@BootstrapWith(ListenerTestContextBootstrapper.class)
@ExtendWith(SpringExtension.class)
@OverrideAutoConfiguration(enabled = false)
@TypeExcludeFilters(ListenerTypeExcludeFilter.class)
@ImportAutoConfiguration
@AutoConfigureTestKafka
public @interface EvenkeelKafkaTest {

	/**
	 * Properties for the application.
	 * @return each as {@code key=value}
	 */
	String[] properties() default {};

	/**
	 * The listeners to start.
	 * @return all components with {@code @KafkaListener} methods when none is named
	 */
	@AliasFor("listeners")
	Class<?>[] value() default {};

	/**
	 * The listeners to start.
	 * @return all components with {@code @KafkaListener} methods when none is named
	 */
	@AliasFor("value")
	Class<?>[] listeners() default {};

	/**
	 * Whether components with {@code @KafkaListener} methods are started.
	 * @return false to have only what the filters include
	 */
	boolean useDefaultFilters() default true;

	/**
	 * Further components to start.
	 * @return filters
	 */
	Filter[] includeFilters() default {};

	/**
	 * Components not to start.
	 * @return filters
	 */
	Filter[] excludeFilters() default {};

}
