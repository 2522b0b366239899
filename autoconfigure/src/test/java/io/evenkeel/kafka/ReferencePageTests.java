package io.evenkeel.kafka;

import java.io.IOException;
import java.lang.reflect.RecordComponent;
import java.net.URL;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

import io.evenkeel.kafka.actuate.EvenkeelDescriptor;
import io.evenkeel.kafka.metrics.ConsumerMeter;
import io.evenkeel.kafka.metrics.ProducerMeter;
import io.evenkeel.kafka.producer.FailureReason;
import io.micrometer.common.docs.KeyName;
import io.micrometer.core.instrument.docs.MeterDocumentation;
import org.assertj.core.api.Assertions;
import org.junit.jupiter.api.Test;

import org.springframework.boot.json.JsonParserFactory;

/**
 * Nothing that a user can set or watch is missing in docs/reference.md, no default
 * differs there, and nothing is listed that does not exist.
 */
class ReferencePageTests {

	private static final Pattern OURS = Pattern.compile(
			"evenkeel\\.kafka\\..*|management\\.health\\.kafka(listeners|producer)\\..*|management\\.endpoint\\.evenkeel\\..*");

	@Test
	void eachPropertyIsListedWithItsDefault() throws IOException {
		Map<String, String> properties = properties();
		Map<String, List<String>> rows = rows("evenkeel\\.kafka\\.|management\\.");
		Assertions.assertThat(rows.keySet()).containsExactlyInAnyOrderElementsOf(properties.keySet());
		properties.forEach((name, defaultValue) -> {
			if (!defaultValue.isEmpty()) {
				Assertions.assertThat(rows.get(name).get(0).replace(".0`", "`"))
					.as(name)
					.isEqualTo("`" + defaultValue + "`");
			}
		});
	}

	@Test
	void eachMeterIsListedWithItsTypeAndTags() throws IOException {
		Map<String, List<String>> rows = rows("evenkeel\\.(?:consumer|producer)\\.");
		List<MeterDocumentation> meters = Stream
			.<MeterDocumentation>concat(Arrays.stream(ConsumerMeter.values()), Arrays.stream(ProducerMeter.values()))
			.toList();
		Assertions.assertThat(rows.keySet())
			.containsExactlyInAnyOrderElementsOf(meters.stream().map(MeterDocumentation::getName).toList());
		for (MeterDocumentation meter : meters) {
			String unit = (meter.getBaseUnit() != null) ? ", " + meter.getBaseUnit() : "";
			Assertions.assertThat(rows.get(meter.getName()).get(0))
				.as(meter.getName())
				.isEqualToIgnoringCase(meter.getType().name() + unit);
			for (KeyName key : meter.getKeyNames()) {
				Assertions.assertThat(rows.get(meter.getName()).get(1))
					.as(meter.getName())
					.contains("`" + key.asString() + "`");
			}
		}
	}

	@Test
	void eachReasonIsListed() throws IOException {
		Assertions.assertThat(rows("[A-Z_]+(?=`)").keySet())
			.containsExactlyInAnyOrderElementsOf(Arrays.stream(FailureReason.values()).map(Enum::name).toList());
	}

	@Test
	void theExampleOfTheEndpointHasEachField() throws IOException {
		String page = page();
		String example = page.substring(page.indexOf("GET /actuator/evenkeel"));
		for (Class<?> type : EvenkeelDescriptor.class.getDeclaredClasses()) {
			for (RecordComponent field : type.getRecordComponents()) {
				Assertions.assertThat(example).as(type.getSimpleName()).contains("\"" + field.getName() + "\":");
			}
		}
	}

	/** The cells behind the name, of each row whose name begins so. */
	private static Map<String, List<String>> rows(String begin) throws IOException {
		Map<String, List<String>> rows = new LinkedHashMap<>();
		Matcher matcher = Pattern.compile("^\\| `((?:" + begin + ")[^`]*)` \\| (.*) \\|$", Pattern.MULTILINE)
			.matcher(page());
		while (matcher.find()) {
			String name = matcher.group(1);
			Assertions.assertThat(rows.put(name, List.of(matcher.group(2).split(" \\| "))))
				.as("twice: " + name)
				.isNull();
		}
		return rows;
	}

	/** Their names and defaults, as an IDE shows them. */
	private static Map<String, String> properties() throws IOException {
		Map<String, String> result = new LinkedHashMap<>();
		for (URL url : Collections.list(ReferencePageTests.class.getClassLoader()
			.getResources("META-INF/spring-configuration-metadata.json"))) {
			String json = new String(url.openStream().readAllBytes(), StandardCharsets.UTF_8);
			for (Object each : (List<?>) JsonParserFactory.getJsonParser().parseMap(json).get("properties")) {
				Map<?, ?> property = (Map<?, ?>) each;
				String name = (String) property.get("name");
				if (OURS.matcher(name).matches()) {
					Object value = property.get("defaultValue");
					result.put(name, (value != null) ? String.valueOf(value).replace('_', '-') : "");
				}
			}
		}
		Assertions.assertThat(result).as("the properties of this module").hasSizeGreaterThan(30);
		return result;
	}

	private static String page() throws IOException {
		List<Path> places = new ArrayList<>();
		Path here = Path.of("").toAbsolutePath();
		places.add(here.resolve("docs/reference.md"));
		places.add(here.resolveSibling("docs/reference.md"));
		return Files.readString(places.stream().filter(Files::exists).findFirst().orElseThrow());
	}

}
