package io.evenkeel.kafka.engine;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.Predicate;

/**
 * Handlers that have asked for the end of their own listener and may be waiting for it. A
 * drain waits for their records, so they cannot wait for the drain: they are told when
 * nothing is left but what they have in hand themselves.
 *
 * <h2>Threading</h2> Added by workers, looked at by the owner.
 */
final class StopCallers {

	private final Queue<Caller> callers = new ConcurrentLinkedQueue<>();

	/**
	 * A handler asks.
	 * @param notBefore nanoseconds of the clock: until then the handler may well return
	 * @param told what it waits for; harmless when run again
	 */
	void add(long notBefore, Runnable told) {
		this.callers.add(new Caller(Thread.currentThread(), notBefore, told));
	}

	/**
	 * Tell those who wait for nobody but themselves. Owner thread, in each turn of a
	 * drain.
	 * @param now nanoseconds of the clock
	 * @param drainedBut whether nothing else is in hand but what some threads have
	 */
	void look(long now, Predicate<List<Thread>> drainedBut) {
		if (this.callers.isEmpty()) {
			return;
		}
		List<Thread> threads = new ArrayList<>();
		this.callers.forEach((caller) -> threads.add(caller.thread));
		if (!drainedBut.test(threads)) {
			return;
		}
		for (Iterator<Caller> waiting = this.callers.iterator(); waiting.hasNext();) {
			Caller caller = waiting.next();
			if (now - caller.notBefore >= 0) {
				waiting.remove();
				caller.told.run();
			}
		}
	}

	private record Caller(Thread thread, long notBefore, Runnable told) {
	}

}
