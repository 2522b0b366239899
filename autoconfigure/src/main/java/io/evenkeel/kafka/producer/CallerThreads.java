package io.evenkeel.kafka.producer;

import io.evenkeel.kafka.thread.OwnThreads;
import org.apache.kafka.common.utils.KafkaThread;
import reactor.core.scheduler.Schedulers;

import org.springframework.util.ClassUtils;

/**
 * Tells the threads that may be held from those that must not be: Reactor's non-blocking
 * ones, those of Kafka clients, and our own.
 */
final class CallerThreads {

	private static final boolean REACTOR = ClassUtils.isPresent("reactor.core.scheduler.Schedulers",
			CallerThreads.class.getClassLoader());

	private CallerThreads() {
	}

	/** Whether the calling thread may be held. */
	static boolean mayBeHeld() {
		Thread current = Thread.currentThread();
		return !OwnThreads.mustNotBlock() && !(current instanceof KafkaThread) && !(REACTOR && Reactor.isNonBlocking());
	}

	/**
	 * Loaded only where Reactor is.
	 */
	private static final class Reactor {

		static boolean isNonBlocking() {
			return Schedulers.isInNonBlockingThread();
		}

	}

}
