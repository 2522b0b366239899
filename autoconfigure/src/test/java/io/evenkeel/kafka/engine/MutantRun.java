package io.evenkeel.kafka.engine;

import org.junit.platform.engine.discovery.DiscoverySelectors;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;
import org.junit.platform.launcher.listeners.SummaryGeneratingListener;

/**
 * Runs one test in a JVM of its own, in front of whose class path a mutant was put: ends
 * with 0 when the test is green, with 1 when it is red, with 2 when there is no such
 * test.
 */
final class MutantRun {

	private MutantRun() {
	}

	public static void main(String[] args) {
		SummaryGeneratingListener listener = new SummaryGeneratingListener();
		String[] test = args[0].split("#");
		// By name: the methods with parameters have a signature.
		LauncherFactory.create()
			.execute(LauncherDiscoveryRequestBuilder.request()
				.selectors(DiscoverySelectors.selectClass(test[0]))
				.filters((org.junit.platform.launcher.PostDiscoveryFilter) (
						descriptor) -> org.junit.platform.engine.FilterResult
							.includedIf(!descriptor.getUniqueId().toString().contains("method:")
									&& !descriptor.getUniqueId().toString().contains("test-template:")
									|| descriptor.getUniqueId().toString().contains(":" + test[1] + "(")))
				.build(), listener);
		if (listener.getSummary().getTestsStartedCount() == 0) {
			System.exit(2);
		}
		System.exit((listener.getSummary().getTestsFailedCount() > 0) ? 1 : 0);
	}

}
