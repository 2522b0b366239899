package io.evenkeel.kafka.docs;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Properties;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

import javax.tools.Diagnostic;
import javax.tools.DiagnosticCollector;
import javax.tools.JavaCompiler;
import javax.tools.JavaFileObject;
import javax.tools.SimpleJavaFileObject;
import javax.tools.StandardJavaFileManager;
import javax.tools.ToolProvider;
import javax.xml.parsers.DocumentBuilderFactory;

import io.evenkeel.kafka.autoconfigure.EvenkeelConsumerAutoConfiguration;
import io.evenkeel.kafka.autoconfigure.EvenkeelProducerAutoConfiguration;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.env.YamlPropertySourceLoader;
import org.springframework.boot.kafka.autoconfigure.KafkaAutoConfiguration;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.core.env.PropertySource;
import org.springframework.core.io.ByteArrayResource;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * What the pages show can be copied: Java compiles, properties are bound by an
 * application that starts, XML can be read, and links lead somewhere.
 */
class DocumentationTests {

	private static final Path ROOT = Path.of("..").toAbsolutePath().normalize();

	private static final Pattern BLOCK = Pattern.compile("(?ms)^```(\\w*)\\n(.*?)^```$");

	private static final Pattern LINK = Pattern.compile("\\]\\((?!https?:)([^)#\\s]+)(#[^)\\s]*)?\\)");

	private static final Pattern TYPE = Pattern
		.compile("(?m)^(?:(?:public|final|abstract) )*(?:class|record|interface|enum) ");

	/** A method or a field, or an annotation of one. */
	private static final Pattern MEMBER = Pattern.compile(
			"(?m)\\A(?:@\\w|(?:public|private|protected|static|void|final) |[\\w<>, ]+ \\w+\\([^)]*\\) (?:throws \\w+ )?\\{)");

	/** What pieces of code may take for granted. */
	private static final String IMPORTS = Stream.of("jakarta.annotation.*", "java.time.*", "java.util.*",
			"java.util.concurrent.*", "java.util.regex.Pattern", "io.evenkeel.kafka.container.*",
			"io.evenkeel.kafka.producer.*", "io.evenkeel.kafka.autoconfigure.*", "io.evenkeel.kafka.test.*",
			"org.apache.kafka.clients.consumer.*", "org.apache.kafka.clients.producer.ProducerRecord",
			"org.apache.kafka.common.TopicPartition", "org.apache.kafka.clients.admin.NewTopic",
			"org.junit.jupiter.api.Test", "org.slf4j.*", "org.springframework.beans.factory.annotation.*",
			"org.springframework.boot.*", "org.springframework.boot.autoconfigure.SpringBootApplication",
			"org.springframework.boot.test.context.SpringBootTest", "org.springframework.boot.kafka.autoconfigure.*",
			"org.springframework.context.annotation.*", "org.springframework.context.event.EventListener",
			"org.springframework.kafka.annotation.*", "org.springframework.kafka.config.*",
			"org.springframework.kafka.core.*", "org.springframework.kafka.listener.*",
			"org.springframework.kafka.support.*", "org.springframework.messaging.handler.annotation.*",
			"org.springframework.stereotype.*", "org.springframework.test.context.bean.override.mockito.MockitoBean",
			"org.springframework.transaction.annotation.Transactional")
		.map((name) -> "import " + name + ";\n")
		.reduce("", String::concat) + "import static org.assertj.core.api.Assertions.assertThat;\n"
			+ "import static org.mockito.BDDMockito.*;\n";

	private static final String ORDER = "record Order(String item, int count, String customer, int amount) { }\n";

	private static final String AROUND = """
			static final Logger logger = LoggerFactory.getLogger("docs");
			KafkaTemplate<String, Object> template;
			TestKafka kafka;
			Outbox outbox;
			String id;
			Order order;
			interface Outbox { void keep(Object order); }
			interface Orders { void place(Object order); }
			Orders orders;
			""";

	/** All at once: the compiler looks at the class path only once then. */
	@Test
	void javaCompiles() throws IOException {
		List<JavaFileObject> sources = new ArrayList<>();
		for (Block block : blocks("java").toList()) {
			String around = MEMBER.matcher(block.text()).find() ? block.text()
					: "void code() throws Exception {\n" + block.text() + "}\n";
			String name = "docs" + sources.size();
			sources.add(new Source(block.name(), name,
					"package " + name + ";\n" + IMPORTS + (TYPE.matcher(block.text()).find() ? block.text() + ORDER
							: "class Docs {\n" + AROUND + around + "}\n" + ORDER)));
		}
		assertThat(sources).hasSizeGreaterThan(3);
		assertThat(compile(sources)).isEmpty();
	}

	@TestFactory
	Stream<DynamicTest> propertiesAreBound() throws IOException {
		return Stream.concat(blocks("yaml"), blocks("properties"))
			.map((block) -> DynamicTest.dynamicTest(block.name(), () -> {
				List<String> pairs = pairs(block);
				assertThat(pairs).isNotEmpty();
				new ApplicationContextRunner()
					.withConfiguration(AutoConfigurations.of(KafkaAutoConfiguration.class,
							EvenkeelConsumerAutoConfiguration.class, EvenkeelProducerAutoConfiguration.class))
					.withPropertyValues(pairs.toArray(String[]::new))
					.run((context) -> assertThat(context).hasNotFailed());
			}));
	}

	@TestFactory
	Stream<DynamicTest> xmlCanBeRead() throws IOException {
		return blocks("xml").map((block) -> DynamicTest.dynamicTest(block.name(), () -> DocumentBuilderFactory
			.newInstance()
			.newDocumentBuilder()
			.parse(new ByteArrayInputStream(("<all>" + block.text() + "</all>").getBytes(StandardCharsets.UTF_8)))));
	}

	@TestFactory
	Stream<DynamicTest> linksLeadSomewhere() throws IOException {
		return pages().map((page) -> DynamicTest.dynamicTest(ROOT.relativize(page).toString(), () -> {
			List<String> broken = new ArrayList<>();
			Matcher links = LINK.matcher(Files.readString(page));
			while (links.find()) {
				if (!Files.exists(page.resolveSibling(links.group(1)))) {
					broken.add(links.group());
				}
			}
			assertThat(broken).isEmpty();
		}));
	}

	@Test
	void theReadmeSpeaksPlainly() throws IOException {
		String text = Files.readString(ROOT.resolve("README.md"));
		assertThat(text).doesNotContain("in hand").doesNotContainPattern("\\bG\\d+\\b");
	}

	private static List<String> compile(List<JavaFileObject> sources) throws IOException {
		JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
		DiagnosticCollector<JavaFileObject> problems = new DiagnosticCollector<>();
		Path out = Files.createTempDirectory("docs");
		try (StandardJavaFileManager files = compiler.getStandardFileManager(problems, null, StandardCharsets.UTF_8)) {
			compiler
				.getTask(null, files, problems, List.of("-proc:none", "-nowarn", "-implicit:none", "-d", out.toString(),
						"-cp", System.getProperty("java.class.path")), null, sources)
				.call();
			return problems.getDiagnostics()
				.stream()
				.filter((problem) -> problem.getKind() == Diagnostic.Kind.ERROR)
				.map((problem) -> problem.getSource() + ": " + problem.getMessage(Locale.ROOT))
				.toList();
		}
		finally {
			try (Stream<Path> made = Files.walk(out)) {
				made.sorted(Comparator.reverseOrder()).forEach((path) -> path.toFile().delete());
			}
		}
	}

	private static List<String> pairs(Block block) throws IOException {
		List<String> pairs = new ArrayList<>();
		if (block.language().equals("properties")) {
			Properties properties = new Properties();
			properties.load(new java.io.StringReader(block.text()));
			properties.forEach((key, value) -> pairs.add(key + "=" + value));
			return pairs;
		}
		for (PropertySource<?> source : new YamlPropertySourceLoader().load("docs",
				new ByteArrayResource(block.text().getBytes(StandardCharsets.UTF_8)))) {
			for (String name : ((org.springframework.core.env.EnumerablePropertySource<?>) source).getPropertyNames()) {
				pairs.add(name + "=" + source.getProperty(name));
			}
		}
		return pairs;
	}

	private static Stream<Path> pages() throws IOException {
		List<Path> pages = new ArrayList<>();
		for (Path folder : List.of(ROOT, ROOT.resolve("docs"), ROOT.resolve("mutants"))) {
			try (Stream<Path> files = Files.list(folder)) {
				files.filter((file) -> file.toString().endsWith(".md")).sorted().forEach(pages::add);
			}
		}
		return pages.stream();
	}

	private static Stream<Block> blocks(String language) throws IOException {
		List<Block> blocks = new ArrayList<>();
		for (Path page : pages().toList()) {
			String text = Files.readString(page);
			Matcher matcher = BLOCK.matcher(text);
			while (matcher.find()) {
				if (matcher.group(1).equals(language)) {
					long line = text.substring(0, matcher.start()).lines().count() + 1;
					blocks.add(new Block(language, ROOT.relativize(page) + ":" + line, matcher.group(2)));
				}
			}
		}
		return blocks.stream();
	}

	private static final class Source extends SimpleJavaFileObject {

		private final String block;

		private final String text;

		Source(String block, String folder, String text) {
			super(URI.create("string:///" + folder + "/Docs.java"), JavaFileObject.Kind.SOURCE);
			this.block = block;
			this.text = text;
		}

		@Override
		public CharSequence getCharContent(boolean ignoreEncodingErrors) {
			return this.text;
		}

		/** A public type need not be in a file of its name. */
		@Override
		public boolean isNameCompatible(String simpleName, Kind kind) {
			return kind == Kind.SOURCE;
		}

		@Override
		public String toString() {
			return this.block;
		}

	}

	/**
	 * A piece of a page.
	 *
	 * @param language what it is written in
	 * @param name the page and the line
	 * @param text the piece
	 */
	private record Block(String language, String name, String text) {

	}

}
