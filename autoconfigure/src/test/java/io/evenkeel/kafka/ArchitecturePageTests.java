package io.evenkeel.kafka;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

import org.assertj.core.api.Assertions;
import org.junit.jupiter.api.Test;

/**
 * What docs/architecture.md says of packages and classes is so.
 */
class ArchitecturePageTests {

	private static final String ROOT = "io.evenkeel.kafka.";

	private static final Path PAGE = Path.of("../docs/architecture.md");

	private static final Path SOURCES = Path.of("src");

	private static final Path MAIN = SOURCES.resolve("main/java");

	/** And texts, where classes that may be missing are named. */
	private static final Pattern COMMENTS = Pattern
		.compile("\"(?:[^\"\\\\\n]|\\\\.)*\"|/\\*.*?\\*/|//[^\n]*|^package [^;]*;", Pattern.DOTALL | Pattern.MULTILINE);

	/** In an import or where it is used: a package, up to its type. */
	private static final Pattern QUALIFIED = Pattern.compile("\\b(?:[a-z][a-z0-9]*\\.){2,}(?=[A-Z])");

	/** By the beginning of their packages, the longest first. */
	private static final Map<String, String> LIBRARIES = new LinkedHashMap<>();

	static {
		LIBRARIES.put("org.apache.kafka.", "Kafka");
		LIBRARIES.put("org.springframework.boot.", "Boot");
		LIBRARIES.put("org.springframework.", "Spring");
		LIBRARIES.put("io.micrometer.core.", "Micrometer");
		LIBRARIES.put("io.micrometer.", "Micrometer Observation");
		LIBRARIES.put("reactor.", "Reactor");
	}

	@Test
	void eachPackageHasARowAndImportsNothingElse() throws IOException {
		Map<String, Row> rows = rows();
		Map<String, Set<String>> wrong = new TreeMap<>();
		Set<String> packages = new TreeSet<>();
		for (Path source : sources(MAIN)) {
			String from = below(MAIN.relativize(source.getParent()).toString().replace(File.separatorChar, '.'));
			packages.add(from);
			Row row = row(rows, from);
			Assertions.assertThat(row).as("the row of package %s", from).isNotNull();
			Matcher names = QUALIFIED.matcher(COMMENTS.matcher(Files.readString(source)).replaceAll(""));
			while (names.find()) {
				String to = names.group();
				String name = to.startsWith(ROOT) ? below(to.substring(0, to.length() - 1)) : library(to);
				if (name != null && !name.equals(from) && !row.allows(name)) {
					wrong.computeIfAbsent(from + " -> " + name, (key) -> new TreeSet<>())
						.add(source.getFileName().toString());
				}
			}
		}
		Assertions.assertThat(wrong).as("arrows that the table does not have").isEmpty();
		rows.keySet()
			.stream()
			.filter((name) -> !name.endsWith("*"))
			.forEach((name) -> Assertions.assertThat(packages).as("packages with a row").contains(name));
	}

	/** In backticks and like a class: one of ours, in the sources or in the tests. */
	@Test
	void eachClassThatIsNamedIsThere() throws IOException {
		Set<String> known = new TreeSet<>();
		for (Path source : sources(SOURCES)) {
			String file = source.getFileName().toString();
			known.add(file.substring(0, file.length() - ".java".length()));
		}
		known.add("Mono");
		Set<String> named = new TreeSet<>();
		Matcher matcher = Pattern.compile("`([A-Z][a-z]+[A-Za-z]*)`").matcher(Files.readString(PAGE));
		while (matcher.find()) {
			named.add(matcher.group(1));
		}
		Assertions.assertThat(named).isNotEmpty();
		Assertions.assertThat(known).containsAll(named);
	}

	private static List<Path> sources(Path folder) throws IOException {
		try (Stream<Path> all = Files.walk(folder)) {
			return all.filter((file) -> file.toString().endsWith(".java")).toList();
		}
	}

	private static String below(String packageName) {
		return packageName.substring(Math.min(ROOT.length(), packageName.length()));
	}

	private static String library(String packageName) {
		return LIBRARIES.entrySet()
			.stream()
			.filter((entry) -> packageName.startsWith(entry.getKey()))
			.map(Map.Entry::getValue)
			.findFirst()
			.orElse(null);
	}

	/** Its own, or the one for all that is below its parent. */
	private static Row row(Map<String, Row> rows, String name) {
		Row own = rows.get(name);
		int dot = name.lastIndexOf('.');
		return (own != null || dot < 0) ? own : rows.get(name.substring(0, dot) + ".*");
	}

	private static Map<String, Row> rows() throws IOException {
		Map<String, Row> rows = new LinkedHashMap<>();
		Matcher matcher = Pattern.compile("^\\| `([a-z.*]+)` \\| [^|]* \\| ([^|]*) \\| ([^|]*) \\|$", Pattern.MULTILINE)
			.matcher(Files.readString(PAGE));
		while (matcher.find()) {
			rows.put(matcher.group(1), new Row(cells(matcher.group(2)), cells(matcher.group(3))));
		}
		Assertions.assertThat(rows).isNotEmpty();
		return rows;
	}

	private static List<String> cells(String text) {
		return Arrays.stream(text.replace("`", "").split(","))
			.map(String::strip)
			.filter((name) -> !name.isEmpty() && !Objects.equals(name, "–"))
			.toList();
	}

	/** What a package may import: packages of ours, and libraries. */
	private record Row(List<String> ours, List<String> libraries) {

		boolean allows(String name) {
			return this.libraries.contains(name) || this.ours.stream()
				.anyMatch((allowed) -> allowed.equals(name)
						|| (allowed.endsWith(".*") && name.startsWith(allowed.substring(0, allowed.length() - 1))));
		}

	}

}
