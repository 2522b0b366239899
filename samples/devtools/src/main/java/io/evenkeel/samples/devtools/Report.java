package io.evenkeel.samples.devtools;

import java.util.stream.Collectors;

import org.springframework.boot.context.event.ApplicationReadyEvent;
import org.springframework.context.event.ContextClosedEvent;
import org.springframework.context.event.EventListener;
import org.springframework.core.Ordered;
import org.springframework.core.annotation.Order;
import org.springframework.stereotype.Component;

/**
 * Says on the standard output what runs: which class loader, and which threads belong to
 * another.
 */
@Component
class Report {

	@EventListener
	void ready(ApplicationReadyEvent event) {
		line("ready");
		line("others " + Thread.getAllStackTraces()
			.keySet()
			.stream()
			.filter((thread) -> isOfAnother(thread.getContextClassLoader()))
			.map(Thread::getName)
			.sorted()
			.collect(Collectors.toList()));
	}

	@EventListener
	@Order(Ordered.HIGHEST_PRECEDENCE)
	void closed(ContextClosedEvent event) {
		line("closing");
	}

	/** The loaders of an application's classes are siblings. */
	private static boolean isOfAnother(ClassLoader loader) {
		ClassLoader own = Report.class.getClassLoader();
		return loader != null && loader != own && loader.getClass() == own.getClass();
	}

	static void line(String line) {
		ClassLoader loader = Report.class.getClassLoader();
		System.out.println("REPORT " + Integer.toHexString(System.identityHashCode(loader)) + " " + line);
	}

}
