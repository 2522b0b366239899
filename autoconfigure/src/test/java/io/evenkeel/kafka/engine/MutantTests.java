package io.evenkeel.kafka.engine;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

import javax.tools.JavaCompiler;
import javax.tools.StandardJavaFileManager;
import javax.tools.ToolProvider;

import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * A guard is worth its line only if a test turns red without it: each guard of the engine
 * and of the producer is removed on a copy, and the test that is named beside it must
 * fail. Run by {@code mutants/run}, not by the ordinary build.
 */
@EnabledIfSystemProperty(named = "evenkeel.mutants", matches = "true|engine|producer")
class MutantTests {

	private static final String PACKAGE = "io.evenkeel.kafka.";

	private static final Path SOURCES = Path.of("src/main/java", PACKAGE.split("\\."));

	@TempDir
	private Path copies;

	@TestFactory
	Stream<DynamicTest> eachGuardHasATestThatTurnsRedWithoutIt() throws IOException {
		String asked = System.getProperty("evenkeel.mutants");
		List<Mutant> mutants = new ArrayList<>();
		for (String area : asked.equals("true") ? List.of("engine", "producer") : List.of(asked)) {
			mutants.addAll(read(area));
		}
		assertThat(mutants).isNotEmpty();
		return mutants.stream().map((mutant) -> DynamicTest.dynamicTest(mutant.name, () -> check(mutant)));
	}

	private void check(Mutant mutant) throws Exception {
		Path source = SOURCES.resolve(mutant.area).resolve(mutant.file);
		String text = Files.readString(source);
		assertThat(text.split(java.util.regex.Pattern.quote(mutant.guard), -1)).as("the guard is there, once")
			.hasSize(2);
		Path copy = this.copies.resolve(mutant.name.replace(' ', '-'));
		Path mutated = copy.resolve("source").resolve(source.getFileName());
		Files.createDirectories(mutated.getParent());
		Files.writeString(mutated, text.replace(mutant.guard, mutant.without));
		Path classes = Files.createDirectories(copy.resolve("classes"));
		compile(mutated, classes);
		Process process = new ProcessBuilder(List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString(),
				"-Xmx512m", "-XX:TieredStopAtLevel=1", "-Djava.awt.headless=true", "-cp",
				classes + File.pathSeparator + System.getProperty("java.class.path"), MutantRun.class.getName(),
				PACKAGE + mutant.area + "." + mutant.test))
			.redirectErrorStream(true)
			.redirectOutput(copy.resolve("output").toFile())
			.start();
		boolean ended = process.waitFor(90, TimeUnit.SECONDS);
		if (!ended) {
			// A test that hangs without the guard has noticed it too.
			process.destroyForcibly();
			return;
		}
		assertThat(process.exitValue()).as("%s must fail", mutant.test).isEqualTo(1);
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

	/**
	 * Blocks of five parts: a name after '#', a file after 'in', a test after 'caught
	 * by', and the guard and what takes its place between lines of dashes.
	 */
	private static List<Mutant> read(String area) throws IOException {
		Path table = Path.of("../mutants", area + ".txt");
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

	private record Mutant(String area, String name, String file, String test, String guard, String without) {
	}

}
