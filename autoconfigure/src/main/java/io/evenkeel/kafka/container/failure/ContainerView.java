package io.evenkeel.kafka.container.failure;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.function.BooleanSupplier;

import org.springframework.kafka.listener.MessageListenerContainer;

/**
 * The container as a user's error handler sees it: it runs as long as the record may
 * still be called again. Such handlers sleep between attempts for as long as the
 * container runs, and a hand-over of the partition must not wait for them.
 */
final class ContainerView {

	private ContainerView() {
	}

	static MessageListenerContainer of(MessageListenerContainer container, BooleanSupplier stopping) {
		return (MessageListenerContainer) Proxy.newProxyInstance(ContainerView.class.getClassLoader(),
				new Class<?>[] { MessageListenerContainer.class }, (proxy, method, args) -> {
					if (method.getName().equals("isRunning") && stopping.getAsBoolean()) {
						return false;
					}
					try {
						return method.invoke(container, args);
					}
					catch (InvocationTargetException ex) {
						throw (ex.getCause() != null) ? ex.getCause() : ex;
					}
				});
	}

}
