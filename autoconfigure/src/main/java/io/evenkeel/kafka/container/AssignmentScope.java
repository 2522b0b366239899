package io.evenkeel.kafka.container;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

import io.evenkeel.kafka.container.call.AssignmentBeanScope;

import org.springframework.context.annotation.Scope;
import org.springframework.context.annotation.ScopedProxyMode;
import org.springframework.core.annotation.AliasFor;

/**
 * One instance of the bean for each assigned partition of a listener: made on first use
 * by a handler of that partition, destroyed when the partition is revoked or lost or the
 * listener stops. The same partition assigned again gets a new one. With
 * {@code ordering=key} or {@code none} several handlers may use it at once.
 */
@Target({ ElementType.TYPE, ElementType.METHOD })
@Retention(RetentionPolicy.RUNTIME)
@Documented
@Scope(AssignmentBeanScope.NAME)
public @interface AssignmentScope {

	/**
	 * How the bean is injected into beans that live longer.
	 * @return a proxy of the class, unless said otherwise
	 */
	@AliasFor(annotation = Scope.class)
	ScopedProxyMode proxyMode() default ScopedProxyMode.TARGET_CLASS;

}
