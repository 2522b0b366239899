package io.evenkeel.kafka.container;

import io.evenkeel.kafka.engine.RecoveryAttempt;

/**
 * A way to end a record that is not to be called again: the settings', a user's error
 * handler's, or either of them in a transaction. Worker threads.
 */
@FunctionalInterface
interface RecoveryWay<K, V> {

	/**
	 * Begin to end a record. What is thrown says that it could not be ended yet.
	 * @param recovery to be answered once, now or later
	 */
	void recover(RecoveryAttempt<K, V> recovery);

}
