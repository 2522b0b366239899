package io.evenkeel.kafka.engine;

import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Pattern;
import java.util.stream.Stream;

import javax.tools.JavaCompiler;
import javax.tools.StandardJavaFileManager;
import javax.tools.ToolProvider;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

/**
 * A guard is worth its line only if a test turns red without it: guards are removed on a
 * copy, one at a time, and the test that is named beside each must fail. The ordinary
 * build takes a few that the hash of the commit chooses, {@code mutants/run} takes all.
 */
class MutantTests {

	private static final String PACKAGE = "io.evenkeel.kafka.";

	private static final Path SOURCES = Path.of("src/main/java", PACKAGE.split("\\."));

	private static final Path TESTS = Path.of("src/test/java", PACKAGE.split("\\."));

	private static final Path TABLES = Path.of("../mutants");

	private static final int SAMPLE = 8;

	/** So many of the sample run however slow the machine is; */
	private static final int LEAST = 2;

	/** after this time no further one begins. */
	private static final Duration SAMPLE_TIME = Duration.ofSeconds(25);

	private static final String ASKED = System.getProperty("evenkeel.mutants", "");

	/** The JVM that tests share as long as they come back. */
	private static Runner shared;

	@TempDir
	private Path copies;

	/** Code that has moved on leaves its block behind. */
	@TestFactory
	Stream<DynamicTest> eachGuardAndItsTestAreThere() throws IOException {
		return all().stream().map((mutant) -> DynamicTest.dynamicTest(mutant.toString(), () -> {
			assertThat(occurrences(mutant)).as("the guard is in %s, once", mutant.source()).isEqualTo(1);
			assertThat(Files.readString(mutant.testSource())).contains(" " + mutant.testMethod() + "(");
		}));
	}

	@TestFactory
	Stream<DynamicTest> eachGuardHasATestThatTurnsRedWithoutIt() throws Exception {
		List<Mutant> mutants = chosen();
		assertThat(mutants).isNotEmpty();
		boolean sample = ASKED.isEmpty();
		long start = System.nanoTime();
		AtomicInteger begun = new AtomicInteger();
		Set<String> tests = new LinkedHashSet<>();
		mutants.forEach((mutant) -> tests.add(mutant.fullTest()));
		DynamicTest healthy = DynamicTest.dynamicTest("the tests are green with all guards", () -> {
			for (String test : tests) {
				assertThat(run(null, test)).as(test).isEqualTo(MutantRun.GREEN);
			}
		});
		return Stream.concat(Stream.of(healthy), mutants.stream().map((mutant) -> {
			String name = mutant.toString();
			return DynamicTest.dynamicTest(name, () -> {
				boolean late = System.nanoTime() - start > SAMPLE_TIME.toNanos();
				assumeThat(sample && late && begun.get() >= LEAST).as("no time left").isFalse();
				begun.incrementAndGet();
				check(mutant);
			});
		}));
	}

	/** What does not come to a verdict has not caught anything. */
	@Test
	void aRunnerThatFailsHasCaughtNothing() throws Exception {
		assertThat(isCaught(run(null, PACKAGE + "engine.RestartBackOffTests#noSuchMethod"))).isFalse();
		assertThat(isCaught(run(null, PACKAGE + "engine.NoSuchTests#test"))).isFalse();
	}

	private void check(Mutant mutant) throws Exception {
		assertThat(occurrences(mutant)).as("the guard is there, once").isEqualTo(1);
		Path source = mutant.source();
		Path copy = this.copies.resolve(mutant.name.replaceAll("[^A-Za-z0-9]", "-"));
		Path mutated = copy.resolve("source").resolve(source.getFileName());
		Files.createDirectories(mutated.getParent());
		Files.writeString(mutated, Files.readString(source).replace(mutant.guard, mutant.without));
		Path classes = Files.createDirectories(copy.resolve("classes"));
		compile(mutated, classes);
		int verdict = run(classes, mutant.fullTest());
		assertThat(isCaught(verdict)).as("%s must fail; the runner ended with %s", mutant.test, verdict).isTrue();
	}

	/** A test that hangs without the guard has noticed it too. */
	private static boolean isCaught(int verdict) {
		return verdict == MutantRun.RED || verdict == MutantRun.HUNG;
	}

	/** What a test says of a mutant, or of the code as it is. */
	private int run(Path mutant, String test) throws Exception {
		// Brokers and model checkers change what is in their JVM for those who come
		// after.
		boolean alone = isSlow(test);
		Runner runner = alone ? new Runner(mutant) : runner();
		try {
			return runner.run(mutant, test);
		}
		finally {
			if (alone) {
				runner.close();
			}
		}
	}

	private static synchronized Runner runner() throws IOException {
		Runner known = shared;
		if (known == null || !known.process.isAlive()) {
			known = new Runner(null);
			shared = known;
		}
		return known;
	}

	@AfterAll
	static void noRunnerIsLeft() {
		if (shared != null) {
			shared.close();
		}
	}

	private static void compile(Path source, Path classes) throws IOException {
		JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
		try (StandardJavaFileManager files = compiler.getStandardFileManager(null, null, null)) {
			boolean compiled = compiler.getTask(null, files, null, List.of("-proc:none", "-nowarn", "-cp",
					System.getProperty("java.class.path"), "-d", classes.toString()), null,
					files.getJavaFileObjects(source))
				.call();
			assertThat(compiled).as("the mutant compiles").isTrue();
		}
	}

	private static int occurrences(Mutant mutant) throws IOException {
		return Files.readString(mutant.source()).split(Pattern.quote(mutant.guard), -1).length - 1;
	}

	/** All, those of a table or with a name, or the sample of this commit. */
	private static List<Mutant> chosen() throws Exception {
		List<Mutant> all = all();
		if (ASKED.equals("true")) {
			return all;
		}
		if (!ASKED.isEmpty()) {
			Pattern name = Pattern.compile(ASKED);
			return all.stream().filter((mutant) -> name.matcher(mutant.toString()).find()).toList();
		}
		String commit = commit();
		return all.stream()
			.filter((mutant) -> !isSlow(mutant.test))
			.sorted(Comparator.comparing((mutant) -> hash(commit + mutant)))
			.limit(SAMPLE)
			.toList();
	}

	/** What starts a broker, or checks a model. */
	private static boolean isSlow(String test) {
		return test.contains("IT#") || test.contains("LincheckTests#");
	}

	private static String commit() throws Exception {
		Process git = new ProcessBuilder("git", "rev-parse", "HEAD").redirectErrorStream(true).start();
		String head = new String(git.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
		// Sources without their history have one sample.
		return (git.waitFor() == 0) ? head.strip() : "";
	}

	private static String hash(String text) {
		try {
			return HexFormat.of()
				.formatHex(MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8)));
		}
		catch (NoSuchAlgorithmException ex) {
			throw new IllegalStateException(ex);
		}
	}

	private static List<Mutant> all() throws IOException {
		List<Mutant> mutants = new ArrayList<>();
		try (Stream<Path> tables = Files.list(TABLES)) {
			for (Path table : tables.filter((file) -> file.toString().endsWith(".txt")).sorted().toList()) {
				mutants.addAll(read(table));
			}
		}
		return mutants;
	}

	/**
	 * Blocks of five parts: a name after '#', a file after 'in', a test after 'caught
	 * by', and the guard and what takes its place between lines of dashes.
	 */
	private static List<Mutant> read(Path table) throws IOException {
		String area = table.getFileName().toString().replace(".txt", "");
		List<Mutant> mutants = new ArrayList<>();
		for (String block : Files.readString(table).split("(?m)^# ")) {
			if (block.isBlank()) {
				continue;
			}
			String[] lines = block.split("\n", 4);
			String[] texts = lines[3].split("(?m)^---\n", -1);
			mutants.add(new Mutant(area, lines[0].strip(), lines[1].substring("in ".length()).strip(),
					lines[2].substring("caught by ".length()).strip(), chomp(texts[1]), chomp(texts[2])));
		}
		return mutants;
	}

	private static String chomp(String text) {
		return text.endsWith("\n") ? text.substring(0, text.length() - 1) : text;
	}

	/** A JVM that runs one test after the other, and is given up with one that hangs. */
	private static final class Runner {

		private static final String END = "ended";

		private final Process process;

		private final BlockingQueue<String> answers = new LinkedBlockingQueue<>();

		/**
		 * Start one.
		 * @param mutant in front of the class path, so that nothing else is; or null
		 */
		Runner(Path mutant) throws IOException {
			String classPath = System.getProperty("java.class.path");
			this.process = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "java").toString(),
					"-Xmx1g", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-XX:+EnableDynamicAgentLoading",
					"-Djava.awt.headless=true", "-cp",
					(mutant != null) ? mutant + File.pathSeparator + classPath : classPath, MutantRun.class.getName())
				.redirectError(ProcessBuilder.Redirect.DISCARD)
				.start();
			Thread reader = new Thread(() -> {
				try (BufferedReader output = this.process.inputReader(StandardCharsets.UTF_8)) {
					output.lines().filter((line) -> line.startsWith("mutant-run")).forEach(this.answers::add);
				}
				catch (IOException | UncheckedIOException ex) {
					// It was given up.
				}
				this.answers.add(END);
			}, "mutant-answers");
			reader.setDaemon(true);
			reader.start();
		}

		int run(Path mutant, String test) throws Exception {
			Duration most = Duration.ofSeconds(isSlow(test) ? 120 : 30);
			String front = isSlow(test) ? MutantRun.NO_OTHERS : (mutant != null) ? mutant.toString() : "";
			Writer asked = this.process.outputWriter(StandardCharsets.UTF_8);
			asked.write(front + "\t" + test + "\n");
			asked.flush();
			boolean called = false;
			while (true) {
				// Before it is called there is the start of the JVM, or of a broker.
				String answer = this.answers.poll(called ? most.toSeconds() : 60, TimeUnit.SECONDS);
				if (answer == null) {
					close();
					return called ? MutantRun.HUNG : MutantRun.BROKEN;
				}
				if (answer.equals(END)) {
					return MutantRun.BROKEN;
				}
				if (answer.startsWith(MutantRun.VERDICT)) {
					return Integer.parseInt(answer.substring(MutantRun.VERDICT.length()));
				}
				called = true;
			}
		}

		void close() {
			this.process.destroyForcibly();
		}

	}

	/** A file of the folder, or the only one with its name in what is below. */
	private static Path find(Path folder, String file) {
		Path there = folder.resolve(file).normalize();
		if (file.contains("/") || Files.exists(there)) {
			assertThat(there).exists();
			return there;
		}
		try (Stream<Path> below = Files.walk(folder)) {
			List<Path> found = below.filter((each) -> each.endsWith(file)).toList();
			assertThat(found).as("%s below %s", file, folder).hasSize(1);
			return found.get(0);
		}
		catch (IOException ex) {
			throw new UncheckedIOException(ex);
		}
	}

	/**
	 * A guard.
	 *
	 * @param area the table, which is the folder of its file and of its test
	 * @param file a file of that folder, or the only one with its name below it
	 * @param test a class and a method, found in the same way; the class may be in
	 * another folder, which then is said from the root: {@code ../guarantee.KeysIT}
	 */
	private record Mutant(String area, String name, String file, String test, String guard, String without) {

		Path source() {
			return find(SOURCES.resolve(this.area), this.file);
		}

		Path testSource() {
			String type = this.test.split("#")[0];
			String file = (type.startsWith("../") ? type.substring(3) : type).replace('.', '/') + ".java";
			return find(type.startsWith("../") ? TESTS : TESTS.resolve(this.area), file);
		}

		String fullTest() {
			String file = TESTS.relativize(testSource()).toString().replace(File.separatorChar, '.');
			return PACKAGE + file.substring(0, file.length() - ".java".length()) + "#" + testMethod();
		}

		String testMethod() {
			return this.test.split("#")[1];
		}

		@Override
		public String toString() {
			return this.area + ": " + this.name;
		}

	}

}
