package io.evenkeel.kafka.engine;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;

import org.junit.platform.engine.FilterResult;
import org.junit.platform.engine.TestDescriptor;
import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.engine.discovery.DiscoverySelectors;
import org.junit.platform.engine.support.descriptor.MethodSource;
import org.junit.platform.launcher.LauncherDiscoveryRequest;
import org.junit.platform.launcher.PostDiscoveryFilter;
import org.junit.platform.launcher.TestExecutionListener;
import org.junit.platform.launcher.TestIdentifier;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;
import org.junit.platform.launcher.listeners.SummaryGeneratingListener;

/**
 * Runs tests in a JVM of its own, in front of whose class path a mutant may have been
 * put, and tells by its exit code what became of them. A JVM that fails for any other
 * reason ends with another code.
 */
final class MutantRun {

	static final int GREEN = 40;

	static final int RED = 41;

	/** A test was called and did not come back. */
	static final int HUNG = 42;

	static final int NO_SUCH_TEST = 43;

	/** The test could not be run, or failed because classes do not fit together. */
	static final int BROKEN = 44;

	private MutantRun() {
	}

	/**
	 * Run tests, one after the other, until one is not green.
	 * @param args how many seconds a test may take, then {@code class#method} of each
	 */
	public static void main(String[] args) {
		Duration most = Duration.ofSeconds(Long.parseLong(args[0]));
		for (String test : List.of(args).subList(1, args.length)) {
			int result = run(test.split("#"), most);
			if (result != GREEN) {
				Runtime.getRuntime().halt(result);
			}
		}
		Runtime.getRuntime().halt(GREEN);
	}

	private static int run(String[] test, Duration most) {
		SummaryGeneratingListener summary = new SummaryGeneratingListener();
		AtomicBoolean broken = new AtomicBoolean();
		TestExecutionListener watch = new TestExecutionListener() {

			@Override
			public void executionStarted(TestIdentifier identifier) {
				if (identifier.isTest()) {
					haltAfter(most);
				}
			}

			@Override
			public void executionFinished(TestIdentifier identifier, TestExecutionResult result) {
				result.getThrowable().ifPresent((failure) -> {
					failure.printStackTrace(System.out);
					if (identifier.isContainer() || isLinkage(failure)) {
						broken.set(true);
					}
				});
			}

		};
		LauncherFactory.create().execute(request(test[0], test[1]), summary, watch);
		if (broken.get()) {
			return BROKEN;
		}
		if (summary.getSummary().getTestsStartedCount() == 0) {
			return NO_SUCH_TEST;
		}
		return (summary.getSummary().getTestsFailedCount() > 0) ? RED : GREEN;
	}

	/** By name: the methods with parameters have a signature. */
	private static LauncherDiscoveryRequest request(String type, String method) {
		PostDiscoveryFilter filter = (descriptor) -> FilterResult.includedIf(isNamed(descriptor, method));
		return LauncherDiscoveryRequestBuilder.request()
			.selectors(DiscoverySelectors.selectClass(type))
			.filters(filter)
			.build();
	}

	private static boolean isNamed(TestDescriptor descriptor, String method) {
		return descriptor.getSource()
			.map((source) -> !(source instanceof MethodSource named) || named.getMethodName().equals(method))
			.orElse(true);
	}

	private static boolean isLinkage(Throwable failure) {
		for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
			if (cause instanceof LinkageError) {
				return true;
			}
		}
		return false;
	}

	private static void haltAfter(Duration most) {
		Thread watchdog = new Thread(() -> {
			try {
				Thread.sleep(most.toMillis());
			}
			catch (InterruptedException ex) {
				return;
			}
			Runtime.getRuntime().halt(HUNG);
		}, "mutant-watchdog");
		watchdog.setDaemon(true);
		watchdog.start();
	}

}
