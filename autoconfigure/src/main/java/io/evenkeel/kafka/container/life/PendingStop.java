package io.evenkeel.kafka.container.life;

import java.util.ArrayList;
import java.util.List;

/**
 * The end of a container's engine, from the first wish for it, or from the moment when it
 * comes by itself, until everybody has been told. Under the container's life-cycle lock.
 *
 * <h2>Why</h2> A stop takes as long as the records in hand do, and the application may
 * ask for more meanwhile: another stop, or the next start. Two members of one listener
 * would get in each other's way, so the start waits, and whoever asks for a stop is told
 * when there is one.
 */
public final class PendingStop {

	private final List<Runnable> waiting = new ArrayList<>();

	private boolean underWay;

	private boolean startsAgain;

	/** Whether an engine has to end before another one may begin. */
	public boolean isUnderWay() {
		return this.underWay;
	}

	/** Another engine is wanted when this one is over. */
	public void startAfterwards() {
		this.startsAgain = true;
	}

	public boolean startsAgain() {
		return this.startsAgain;
	}

	/**
	 * Somebody wants the end, and takes back a start that has not come yet.
	 * @param callback run when it is over
	 * @return whether this is the first wish
	 */
	public boolean ask(Runnable callback) {
		this.waiting.add(callback);
		this.startsAgain = false;
		boolean first = !this.underWay;
		this.underWay = true;
		return first;
	}

	/**
	 * The engine has ended.
	 * @return whether nobody had asked for it
	 */
	public boolean ended() {
		boolean byItself = !this.underWay;
		this.underWay = true;
		return byItself;
	}

	/**
	 * It is over.
	 * @return who waits for that
	 */
	public List<Runnable> over() {
		List<Runnable> told = List.copyOf(this.waiting);
		this.waiting.clear();
		this.underWay = false;
		this.startsAgain = false;
		return told;
	}

}
