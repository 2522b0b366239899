package io.evenkeel.samples.orders;

import java.io.PrintStream;

/**
 * Tells the story on the console, with the seconds since its beginning.
 */
class Narrator {

	private final PrintStream console;

	private final long start = System.nanoTime();

	Narrator(PrintStream console) {
		this.console = console;
	}

	/**
	 * Tell what happens.
	 * @param line a format string, without a line break
	 * @param arguments its arguments
	 */
	void tell(String line, Object... arguments) {
		double seconds = (System.nanoTime() - this.start) / 1e9;
		print("%6.1f s  %s".formatted(seconds, line.formatted(arguments)));
	}

	/**
	 * Print lines as they are.
	 * @param lines what to print
	 */
	void print(Object lines) {
		this.console.println(lines);
	}

}
