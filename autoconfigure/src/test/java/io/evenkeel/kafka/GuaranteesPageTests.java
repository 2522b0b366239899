package io.evenkeel.kafka;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import java.util.stream.Stream;

import org.assertj.core.api.Assertions;
import org.junit.jupiter.api.Test;

/**
 * The table of docs/guarantees.md leads from each guarantee to tests and mutants that are
 * there.
 */
class GuaranteesPageTests {

	private static final Path TESTS = Path.of("src/test/java");

	private static final Path DOCS = Path.of("../docs");

	private static final Path MUTANTS = Path.of("../mutants");

	private static final List<String> NAMES = IntStream.rangeClosed(1, 11).mapToObj((number) -> "G" + number).toList();

	private static final Pattern QUOTED = Pattern.compile("`([^`]+)`");

	@Test
	void eachGuaranteeIsDefinedAndHasTestsAndMutants() throws IOException {
		Assertions.assertThat(rows().keySet()).containsExactlyElementsOf(NAMES);
		String page = page();
		for (String name : NAMES) {
			Assertions.assertThat(page).contains("| **" + name + "** ");
			Assertions.assertThat(quoted(rows().get(name).get(0))).as("tests of %s", name).isNotEmpty();
			Assertions.assertThat(quoted(rows().get(name).get(1))).as("mutants of %s", name).isNotEmpty();
		}
	}

	@Test
	void eachTestOfTheTableIsThere() throws IOException {
		for (String test : all(0)) {
			String[] parts = test.split("#");
			List<Path> found = sources(parts[0] + ".java");
			Assertions.assertThat(found).as(test).hasSize(1);
			if (parts.length > 1) {
				Assertions.assertThat(Files.readString(found.get(0))).as(test).contains(" " + parts[1] + "(");
			}
		}
	}

	@Test
	void eachMutantOfTheTableIsThere() throws IOException {
		Set<String> known = new TreeSet<>();
		try (Stream<Path> tables = Files.list(MUTANTS)) {
			for (Path table : tables.filter((file) -> file.toString().endsWith(".txt")).toList()) {
				String area = table.getFileName().toString().replace(".txt", "");
				Files.readAllLines(table)
					.stream()
					.filter((line) -> line.startsWith("# "))
					.forEach((line) -> known.add(area + ": " + line.substring(2).strip()));
			}
		}
		Assertions.assertThat(known).containsAll(all(1));
	}

	private static List<String> all(int column) throws IOException {
		return rows().values().stream().flatMap((cells) -> quoted(cells.get(column)).stream()).toList();
	}

	/** The second table that has a row for each: tests, then mutants. */
	private static Map<String, List<String>> rows() throws IOException {
		Map<String, List<String>> rows = new LinkedHashMap<>();
		Matcher matcher = Pattern.compile("^\\| \\*\\*(G\\d+)\\*\\* \\| (.*) \\| (.*) \\|$", Pattern.MULTILINE)
			.matcher(page());
		while (matcher.find()) {
			rows.put(matcher.group(1), List.of(matcher.group(2), matcher.group(3)));
		}
		return rows;
	}

	private static List<String> quoted(String cell) {
		List<String> found = new ArrayList<>();
		Matcher matcher = QUOTED.matcher(cell);
		while (matcher.find()) {
			found.add(matcher.group(1));
		}
		return found;
	}

	private static List<Path> sources(String file) throws IOException {
		try (Stream<Path> all = Files.walk(TESTS)) {
			return all.filter((each) -> each.endsWith(file)).toList();
		}
	}

	private static String page() throws IOException {
		return Files.readString(DOCS.resolve("guarantees.md"));
	}

}
