package io.evenkeel.kafka.thread;

import org.jspecify.annotations.Nullable;

/**
 * Makes the threads of this project. They are made by whoever happens to need them first:
 * a thread that sends, completes a future, or starts the application. So they inherit
 * nothing: no inheritable thread local (a tenant, a security context), no class loader,
 * no priority.
 */
public final class OwnThreads {

	private OwnThreads() {
	}

	/**
	 * Make a daemon thread.
	 * @param name its name
	 * @param loader the application's class loader; null for the one that has loaded this
	 * class
	 * @param task what it runs
	 * @return not yet started
	 */
	public static Thread daemon(String name, @Nullable ClassLoader loader, Runnable task) {
		Thread thread = make(name, loader, task);
		thread.setDaemon(true);
		return thread;
	}

	/**
	 * Make a thread that keeps the JVM alive.
	 * @param name its name
	 * @param loader the application's class loader; null for the one that has loaded this
	 * class
	 * @param task what it runs
	 * @return not yet started
	 */
	public static Thread user(String name, @Nullable ClassLoader loader, Runnable task) {
		Thread thread = make(name, loader, task);
		thread.setDaemon(false);
		return thread;
	}

	/**
	 * Make a daemon thread that runs handlers only: nobody else waits for it.
	 * @param name its name
	 * @param loader the application's class loader; null for the one that has loaded this
	 * class
	 * @param task what it runs
	 * @return not yet started
	 */
	public static Thread worker(String name, @Nullable ClassLoader loader, Runnable task) {
		Thread thread = new Thread(null, task, name, 0, false);
		thread.setDaemon(true);
		return prepared(thread, loader);
	}

	/**
	 * Whether others wait for the calling thread, so that user code that runs there must
	 * not be held.
	 * @return true on a thread of this project that is no worker
	 */
	public static boolean mustNotBlock() {
		return Thread.currentThread() instanceof Awaited;
	}

	private static Thread make(String name, @Nullable ClassLoader loader, Runnable task) {
		return prepared(new Awaited(task, name), loader);
	}

	private static Thread prepared(Thread thread, @Nullable ClassLoader loader) {
		thread.setContextClassLoader((loader != null) ? loader : OwnThreads.class.getClassLoader());
		thread.setPriority(Thread.NORM_PRIORITY);
		return thread;
	}

	private static final class Awaited extends Thread {

		Awaited(Runnable task, String name) {
			super(null, task, name, 0, false);
		}

	}

}
