package io.evenkeel.kafka.container.call;

import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;

import io.evenkeel.kafka.container.listener.ListenerFailures;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.beans.factory.ObjectFactory;

/**
 * The beans of scope {@code assignment} of one assignment. They live until the assignment
 * is gone and the last call that it left behind is over.
 *
 * <h2>Threading</h2> Everything is guarded by this object. A bean is made under its lock,
 * so that two handlers of the partition never make two; destruction callbacks run outside
 * of it.
 */
final class AssignmentBeans {

	private static final Logger logger = LoggerFactory.getLogger(AssignmentBeans.class);

	private final String name;

	private final Map<String, Object> beans = new HashMap<>();

	private final Map<String, Runnable> callbacks = new LinkedHashMap<>();

	private int calls;

	private boolean gone;

	AssignmentBeans(String name) {
		this.name = name;
	}

	synchronized Object get(String bean, ObjectFactory<?> factory) {
		Object known = this.beans.get(bean);
		if (known == null) {
			known = factory.getObject();
			this.beans.put(bean, known);
		}
		return known;
	}

	synchronized @Nullable Object remove(String bean) {
		this.callbacks.remove(bean);
		return this.beans.remove(bean);
	}

	synchronized void onDestroy(String bean, Runnable callback) {
		this.callbacks.put(bean, callback);
	}

	/** A call of the partition begins. */
	synchronized AssignmentBeans begin() {
		this.calls++;
		return this;
	}

	/** A call is over. */
	void end() {
		Map<String, Runnable> last;
		synchronized (this) {
			this.calls--;
			last = drain();
		}
		destroy(last);
	}

	/** The assignment is gone. */
	void close() {
		Map<String, Runnable> last;
		synchronized (this) {
			this.gone = true;
			last = drain();
		}
		destroy(last);
	}

	private Map<String, Runnable> drain() {
		if (!this.gone || this.calls > 0) {
			return Map.of();
		}
		Map<String, Runnable> last = new LinkedHashMap<>(this.callbacks);
		this.callbacks.clear();
		this.beans.clear();
		return last;
	}

	private void destroy(Map<String, Runnable> last) {
		last.forEach((bean, callback) -> {
			try {
				callback.run();
			}
			catch (RuntimeException ex) {
				logger.error("The destruction of bean '{}' of {} failed: {}", bean, this.name,
						ListenerFailures.types(ex));
			}
		});
	}

	@Override
	public String toString() {
		return this.name;
	}

}
