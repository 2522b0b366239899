package io.evenkeel.kafka;

import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.lang.ArchRule;
import com.tngtech.archunit.library.dependencies.SlicesRuleDefinition;
import io.evenkeel.kafka.container.EvenkeelContainer;
import org.apache.kafka.clients.consumer.Consumer;
import org.junit.jupiter.api.Test;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static org.assertj.core.api.Assertions.assertThat;

/**
 * The layers: imports run downward only. Each rule would be broken by one wrong import.
 */
class ArchitectureTests {

	private static final String ROOT = "io.evenkeel.kafka";

	private static final JavaClasses CLASSES = new ClassFileImporter()
		.importUrl(EvenkeelContainer.class.getProtectionDomain().getCodeSource().getLocation());

	/** Classes that know each other, one circle an entry, with the reason why. */
	private static final Map<Set<String>, String> CIRCLES = Map.of(
			Set.of("container.ContainerParts", "container.ContainerDependencies", "container.EvenkeelContainer",
					"container.ListenerMeters", "container.MemberContainer", "container.ReportingContainer"),
			"meters are told of the container that is made with them, and its child stands for it",
			Set.of("container.call.CallObservation", "container.call.CallObservationRegistry"),
			"the registry knows the current call of a thread, which leaves it as it was",
			Set.of("container.AdoptedContainerFactory", "container.EvenkeelContainerFactory"),
			"the factory makes the one that takes another's place");

	/** The largest circle of each of the other packages: none may grow, or come anew. */
	private static final Map<String, Integer> LARGEST = Map.of("engine.dispatch", 15, "engine", 4, "producer", 7,
			"autoconfigure", 2);

	@Test
	void thePurePartsOfTheEngineKnowNeitherKafkaNorSpring() {
		check(noClasses().that()
			.resideInAnyPackage(ROOT + ".engine.dispatch", ROOT + ".engine.retry", ROOT + ".engine.offset",
					ROOT + ".producer.line")
			.should()
			.dependOnClassesThat()
			.resideInAnyPackage("org.apache.kafka..", "org.springframework..", "io.micrometer.."));
	}

	@Test
	void thePurePartsKnowNothingAboveThem() {
		check(noClasses().that()
			.resideInAnyPackage(ROOT + ".engine.dispatch", ROOT + ".engine.retry", ROOT + ".engine.offset")
			.should()
			.dependOnClassesThat()
			.resideInAnyPackage(ROOT + ".engine", ROOT + ".container..", ROOT + ".autoconfigure.."));
	}

	@Test
	void theEngineKnowsNeitherSpringNorMicrometerNorTheContainer() {
		check(noClasses().that()
			.resideInAPackage(ROOT + ".engine..")
			.should()
			.dependOnClassesThat()
			.resideInAnyPackage("org.springframework..", "io.micrometer..", ROOT + ".container..", ROOT + ".producer..",
					ROOT + ".metrics..", ROOT + ".health..", ROOT + ".actuate..", ROOT + ".autoconfigure.."));
	}

	@Test
	void settingsKnowNothingButKafka() {
		check(noClasses().that()
			.resideInAPackage(ROOT + ".config..")
			.should()
			.dependOnClassesThat()
			.resideInAnyPackage("org.springframework..", "io.micrometer..", ROOT + ".engine..", ROOT + ".container..",
					ROOT + ".producer..", ROOT + ".metrics..", ROOT + ".health..", ROOT + ".actuate..",
					ROOT + ".autoconfigure.."));
	}

	@Test
	void theProducerKnowsNeitherTheEngineNorTheContainerNorBoot() {
		check(noClasses().that()
			.resideInAPackage(ROOT + ".producer..")
			.should()
			.dependOnClassesThat()
			.resideInAnyPackage("org.springframework.boot..", ROOT + ".engine..", ROOT + ".container..",
					ROOT + ".metrics..", ROOT + ".health..", ROOT + ".actuate..", ROOT + ".autoconfigure..")
			.allowEmptyShould(true));
	}

	@Test
	void theContainerKnowsNeitherBootNorWhatReadsIt() {
		check(noClasses().that()
			.resideInAPackage(ROOT + ".container..")
			.should()
			.dependOnClassesThat()
			.resideInAnyPackage("org.springframework.boot..", ROOT + ".producer..", ROOT + ".metrics..",
					ROOT + ".health..", ROOT + ".actuate..", ROOT + ".autoconfigure.."));
	}

	@Test
	void onlyMetricsUseMicrometerCore() {
		check(noClasses().that()
			.resideInAnyPackage(ROOT + ".engine..", ROOT + ".container..", ROOT + ".producer..", ROOT + ".health..",
					ROOT + ".actuate..")
			.should()
			.dependOnClassesThat()
			.resideInAnyPackage("io.micrometer.core.."));
	}

	@Test
	void onlyActuateAndHealthUseTheirOptionalModules() {
		check(noClasses().that()
			.resideOutsideOfPackages(ROOT + ".actuate..", ROOT + ".health..", ROOT + ".autoconfigure.health..")
			.should()
			.dependOnClassesThat()
			.resideInAnyPackage("org.springframework.boot.actuate..", "org.springframework.boot.health.."));
	}

	/**
	 * Two exceptions: under transactions the engine commits nothing, and the first
	 * position of a partition is committed from inside the assigned callback. And dead
	 * letters are read without a group of listeners.
	 */
	@Test
	void onlyTheEnginePollsAndCommits() {
		check(noClasses().that()
			.resideOutsideOfPackage(ROOT + ".engine..")
			.and()
			.doNotHaveSimpleName("SeekCallback")
			.and()
			.doNotHaveSimpleName("CommitSettings")
			.and()
			.doNotHaveSimpleName("DeadLetterLog")
			.should()
			.callMethodWhere(com.tngtech.archunit.core.domain.JavaCall.Predicates
				.target(com.tngtech.archunit.core.domain.properties.HasOwner.Predicates.With
					.owner(com.tngtech.archunit.core.domain.JavaClass.Predicates.assignableTo(Consumer.class)))
				.and(com.tngtech.archunit.core.domain.JavaCall.Predicates
					.target(com.tngtech.archunit.core.domain.properties.HasName.Predicates
						.nameMatching("poll|commitSync|commitAsync|close|wakeup")))));
	}

	@Test
	void autoConfigurationsAreFinal() {
		check(classes().that()
			.areAnnotatedWith(org.springframework.boot.autoconfigure.AutoConfiguration.class)
			.should()
			.haveModifier(com.tngtech.archunit.core.domain.JavaModifier.FINAL));
	}

	@Test
	void packagesAreFreeOfCycles() {
		check(SlicesRuleDefinition.slices().matching(ROOT + ".(**)").should().beFreeOfCycles());
	}

	/** Red when two more classes know each other, directly or through others. */
	@Test
	void classesAreFreeOfCycles() {
		for (Set<String> circle : new ClassCircles(CLASSES, ROOT).find()) {
			Set<String> packages = circle.stream()
				.map((name) -> name.substring(0, name.lastIndexOf('.')))
				.collect(Collectors.toSet());
			String first = packages.iterator().next();
			if (first.startsWith("container")) {
				assertThat(CIRCLES).as("circles that are known, each with its reason").containsKey(circle);
			}
			else {
				assertThat(packages).as("the packages of %s", circle).hasSize(1);
				assertThat(circle).hasSizeLessThanOrEqualTo(LARGEST.getOrDefault(first, 0));
			}
		}
	}

	private static void check(ArchRule rule) {
		rule.check(CLASSES);
	}

}
