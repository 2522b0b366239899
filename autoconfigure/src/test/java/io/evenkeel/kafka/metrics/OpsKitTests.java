package io.evenkeel.kafka.metrics;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

import io.evenkeel.kafka.watch.ListenerState;
import io.micrometer.common.docs.KeyName;
import io.micrometer.core.instrument.docs.MeterDocumentation;
import org.junit.jupiter.api.Test;
import org.yaml.snakeyaml.Yaml;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * The dashboard, the alerts and the page on operations speak of what there is: each
 * metric under the name that Prometheus has for it, each tag, each value of a tag, each
 * chapter.
 */
class OpsKitTests {

	private static final Pattern SELECTOR = Pattern.compile("(evenkeel_[a-z_]+)(?:\\{([^}]*)})?");

	private static final Pattern MATCHER = Pattern.compile("([a-z_]+)(=~|=|!=|!~)\"([^\"]*)\"");

	private static final Pattern GROUPING = Pattern.compile("\\b(?:by|on)\\s*\\(([^)]*)\\)");

	private static final Pattern LABEL = Pattern.compile("\\{\\{\\s*\\$?(?:labels\\.)?([a-z]+)\\s*}}");

	/** Written down, not taken from the code. */
	private static final Map<String, Set<String>> VALUES = Map.of("state",
			Set.of("queued", "in-flight", "parked", "assigned", "paused-user", "paused-backpressure"), "event",
			Set.of("assigned", "revoked", "lost"), "fate", Set.of("drained", "dropped", "abandoned"), "value",
			Set.of("limit", "used"), "result",
			Set.of("ok", "retriable", "rebalance", "fenced", "error", "clean", "timeout"), "outcome",
			Set.of("success", "skipped", "dead-lettered", "stale", "failure", "ready", "timeout", "failed"));

	private final Map<String, Set<String>> metrics = metrics();

	@Test
	void theDashboardShowsWhatThereIs() throws IOException {
		Set<String> shown = new HashSet<>();
		for (JsonNode panel : dashboard().get("panels")) {
			for (JsonNode target : panel.path("targets")) {
				Set<String> labels = check(target.get("expr").asString(), shown);
				Matcher legend = LABEL.matcher(target.get("legendFormat").asString());
				while (legend.find()) {
					assertThat(labels).as(target.toString()).contains(legend.group(1));
				}
			}
		}
		for (JsonNode variable : dashboard().get("templating").get("list")) {
			if (variable.get("query").asString().startsWith("label_values")) {
				check(variable.get("query").asString(), new HashSet<>());
			}
		}
		for (MeterDocumentation meter : meters().toList()) {
			assertThat(shown).as("a panel for " + meter.getName()).anyMatch(names(meter)::contains);
		}
	}

	@Test
	void theAlertsAskForWhatThereIs() throws IOException {
		List<Map<String, Object>> rules = rules();
		assertThat(rules).hasSizeGreaterThan(10);
		for (Map<String, Object> rule : rules) {
			Set<String> labels = check((String) rule.get("expr"), new HashSet<>());
			String summary = (String) ((Map<?, ?>) rule.get("annotations")).get("summary");
			Matcher used = Pattern.compile("\\$labels\\.([a-z]+)").matcher(summary);
			while (used.find()) {
				assertThat(labels).as(summary).contains(used.group(1));
			}
		}
	}

	@Test
	void eachAlertHasATestThatFiresAndOneThatDoesNot() throws IOException {
		String tests = Files.readString(docs().resolve("ops/evenkeel-alerts.test.yml"));
		for (Map<String, Object> rule : rules()) {
			assertThat(tests).contains("name: " + rule.get("alert") + " fires",
					"name: " + rule.get("alert") + " is silent");
		}
	}

	@Test
	void eachChapterThatIsNamedIsThere() throws IOException {
		String page = Files.readString(docs().resolve("operations.md"));
		Set<String> anchors = new TreeSet<>();
		page.lines()
			.filter((line) -> line.startsWith("#"))
			.map((line) -> line.replaceFirst("#+ ", "").toLowerCase(Locale.ROOT).replace(' ', '-'))
			.forEach(anchors::add);
		for (Map<String, Object> rule : rules()) {
			String runbook = (String) ((Map<?, ?>) rule.get("annotations")).get("runbook_url");
			assertThat(runbook).startsWith("docs/operations.md#");
			assertThat(anchors).contains(runbook.substring(runbook.indexOf('#') + 1));
			assertThat(page).contains("Alert " + rule.get("alert"));
		}
		for (JsonNode panel : dashboard().get("panels")) {
			String text = panel.path("description").asString("");
			if (!text.isEmpty()) {
				assertThat(anchors).contains(text.substring(text.indexOf('#') + 1));
			}
		}
		Matcher link = Pattern.compile("\\]\\(#([a-z-]+)\\)").matcher(page);
		while (link.find()) {
			assertThat(anchors).contains(link.group(1));
		}
		for (ListenerState state : ListenerState.values()) {
			assertThat(page).contains("| `" + state + "` |");
		}
	}

	@Test
	void eachMeterHasAHelpText() {
		assertThat(Arrays.stream(ConsumerMeter.values()).map(ConsumerMeter::description))
			.allMatch((text) -> !text.isBlank() && !text.endsWith("."));
		assertThat(Arrays.stream(ProducerMeter.values()).map(ProducerMeter::description))
			.allMatch((text) -> !text.isBlank() && !text.endsWith("."));
	}

	/** Returns the labels that may stand in the result. */
	private Set<String> check(String expression, Set<String> shown) {
		Set<String> labels = new HashSet<>();
		Matcher selectors = SELECTOR.matcher(expression);
		boolean any = false;
		while (selectors.find()) {
			any = true;
			String name = selectors.group(1);
			assertThat(this.metrics.keySet()).as(expression).contains(name);
			shown.add(name);
			Set<String> keys = this.metrics.get(name);
			labels.addAll(keys);
			Matcher matchers = MATCHER.matcher((selectors.group(2) != null) ? selectors.group(2) : "");
			while (matchers.find()) {
				assertThat(keys).as(expression).contains(matchers.group(1));
				if (VALUES.containsKey(matchers.group(1))) {
					assertThat(VALUES.get(matchers.group(1))).as(expression).contains(matchers.group(3).split("\\|"));
				}
			}
		}
		assertThat(any).as(expression).isTrue();
		Matcher groupings = GROUPING.matcher(expression);
		while (groupings.find()) {
			assertThat(labels).as(expression).contains(groupings.group(1).split(",\\s*"));
		}
		return labels;
	}

	/** The names in Prometheus, with their labels. */
	private static Map<String, Set<String>> metrics() {
		Map<String, Set<String>> metrics = new TreeMap<>();
		meters().forEach((meter) -> {
			Set<String> keys = new HashSet<>();
			for (KeyName key : meter.getKeyNames()) {
				keys.add(key.asString());
			}
			names(meter).forEach((name) -> metrics.put(name, keys));
		});
		return metrics;
	}

	private static Set<String> names(MeterDocumentation meter) {
		String name = meter.getName().replace('.', '_');
		return switch (meter.getType()) {
			case COUNTER -> Set.of(name + "_total");
			case TIMER -> Set.of(name + "_seconds_count", name + "_seconds_sum", name + "_seconds_max");
			default -> Set.of((meter.getBaseUnit() != null) ? name + "_" + meter.getBaseUnit() : name);
		};
	}

	private static Stream<MeterDocumentation> meters() {
		return Stream.concat(Arrays.stream(ConsumerMeter.values()), Arrays.stream(ProducerMeter.values()));
	}

	@SuppressWarnings("unchecked")
	private static List<Map<String, Object>> rules() throws IOException {
		Map<String, Object> file = new Yaml().load(Files.readString(docs().resolve("ops/evenkeel-alerts.yml")));
		List<Map<String, Object>> rules = new ArrayList<>();
		for (Map<String, Object> group : (List<Map<String, Object>>) file.get("groups")) {
			rules.addAll((List<Map<String, Object>>) group.get("rules"));
		}
		return rules;
	}

	private static JsonNode dashboard() throws IOException {
		return JsonMapper.builder().build().readTree(Files.readString(docs().resolve("ops/evenkeel-dashboard.json")));
	}

	private static Path docs() {
		Path here = Path.of("").toAbsolutePath();
		return Stream.of(here.resolve("docs"), here.resolveSibling("docs"))
			.filter(Files::exists)
			.findFirst()
			.orElseThrow();
	}

}
