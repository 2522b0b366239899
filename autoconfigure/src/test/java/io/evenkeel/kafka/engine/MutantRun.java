package io.evenkeel.kafka.engine;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.net.MalformedURLException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
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
 * Runs tests in a JVM of its own, each with classes of its own: in front of them a mutant
 * may be put. What comes of a test is told on the standard output; a test that does not
 * come back is noticed by whoever has asked.
 */
final class MutantRun {

	static final int GREEN = 40;

	static final int RED = 41;

	/** A test was called and did not come back. */
	static final int HUNG = 42;

	static final int NO_SUCH_TEST = 43;

	/** The test could not be run, or failed because classes do not fit together. */
	static final int BROKEN = 44;

	/** What begins a line about the test that was asked for. */
	static final String CALLED = "mutant-run called";

	static final String VERDICT = "mutant-run verdict ";

	/**
	 * In place of the folder: this JVM is for one test only, its classes are the ones.
	 */
	static final String NO_OTHERS = "no-others";

	private static final String OURS = "io.evenkeel.kafka.";

	private MutantRun() {
	}

	/**
	 * Run tests until there is nothing more to read. Each line asks for one: the folder
	 * of the mutant's classes, nothing, or {@link #NO_OTHERS}, a tab, and
	 * {@code class#method}.
	 * @param args none
	 * @throws IOException when the reading fails
	 */
	public static void main(String[] args) throws IOException {
		PrintStream answers = System.out;
		System.setOut(System.err);
		BufferedReader asked = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
		for (String line = asked.readLine(); line != null; line = asked.readLine()) {
			String[] parts = line.split("\t");
			int verdict;
			try {
				verdict = run(parts[0], parts[1].split("#"), answers);
			}
			catch (Throwable ex) {
				ex.printStackTrace();
				verdict = BROKEN;
			}
			answers.println(VERDICT + verdict);
			answers.flush();
		}
		Runtime.getRuntime().halt(0);
	}

	private static int run(String mutant, String[] test, PrintStream answers) throws IOException {
		SummaryGeneratingListener summary = new SummaryGeneratingListener();
		AtomicBoolean broken = new AtomicBoolean();
		TestExecutionListener watch = new TestExecutionListener() {

			@Override
			public void executionStarted(TestIdentifier identifier) {
				if (identifier.isTest()) {
					answers.println(CALLED);
					answers.flush();
				}
			}

			@Override
			public void executionFinished(TestIdentifier identifier, TestExecutionResult result) {
				result.getThrowable().ifPresent((failure) -> {
					failure.printStackTrace();
					if (identifier.isContainer() || isLinkage(failure)) {
						broken.set(true);
					}
				});
			}

		};
		Thread thread = Thread.currentThread();
		ClassLoader before = thread.getContextClassLoader();
		try (Classes classes = new Classes(mutant, before)) {
			ClassLoader loader = mutant.equals(NO_OTHERS) ? before : classes;
			thread.setContextClassLoader(loader);
			LauncherFactory.create().execute(request(loader.loadClass(test[0]), test[1]), summary, watch);
		}
		catch (ClassNotFoundException ex) {
			return NO_SUCH_TEST;
		}
		finally {
			thread.setContextClassLoader(before);
			// A test that fails on its way may have left it.
			Thread.interrupted();
		}
		if (broken.get()) {
			return BROKEN;
		}
		if (summary.getSummary().getTestsStartedCount() == 0) {
			return NO_SUCH_TEST;
		}
		return (summary.getSummary().getTestsFailedCount() > 0) ? RED : GREEN;
	}

	/** By name: the methods with parameters have a signature. */
	private static LauncherDiscoveryRequest request(Class<?> type, String method) {
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

	/**
	 * All of our own classes once more, the mutant's first; the libraries are shared.
	 */
	private static final class Classes extends URLClassLoader {

		Classes(String mutant, ClassLoader parent) throws MalformedURLException {
			super(urls(mutant), parent);
		}

		private static URL[] urls(String mutant) throws MalformedURLException {
			List<URL> urls = new ArrayList<>();
			if (!mutant.isEmpty()) {
				urls.add(Path.of(mutant).toUri().toURL());
			}
			for (String each : System.getProperty("java.class.path").split(System.getProperty("path.separator"))) {
				if (Files.isDirectory(Path.of(each))) {
					urls.add(Path.of(each).toUri().toURL());
				}
			}
			return urls.toArray(new URL[0]);
		}

		@Override
		protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
			if (!name.startsWith(OURS)) {
				return super.loadClass(name, resolve);
			}
			synchronized (getClassLoadingLock(name)) {
				Class<?> known = findLoadedClass(name);
				return (known != null) ? known : findClass(name);
			}
		}

	}

}
