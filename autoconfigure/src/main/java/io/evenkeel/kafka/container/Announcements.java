package io.evenkeel.kafka.container;

import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.Set;

/**
 * What the application's log has been told of, so that it is said once and not for each
 * container and each start. Any thread.
 */
final class Announcements {

	private final Set<Object> said = Collections.synchronizedSet(Collections.newSetFromMap(new IdentityHashMap<>()));

	/**
	 * Whether this is the first time that somebody asks about it.
	 * @param subject an object of the application
	 * @return true once
	 */
	boolean first(Object subject) {
		return this.said.add(subject);
	}

}
