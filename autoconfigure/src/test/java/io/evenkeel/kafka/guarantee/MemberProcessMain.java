package io.evenkeel.kafka.guarantee;

import java.util.concurrent.CountDownLatch;

import io.evenkeel.kafka.container.PartitionsAssignedEvent;
import io.evenkeel.kafka.container.PartitionsLostEvent;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;

import org.springframework.boot.WebApplicationType;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.context.ApplicationListener;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.support.GenericApplicationContext;

/**
 * The main class of a member in a process of its own. What it does goes line by line to
 * its standard output, which survives a kill.
 */
final class MemberProcessMain {

	private MemberProcessMain() {
	}

	public static void main(String[] arguments) throws InterruptedException {
		int millis = Integer.parseInt(System.getProperty("test.millis"));
		CountDownLatch never = new CountDownLatch(1);
		Member.RecordHandler handler = (record) -> {
			String id = record.topic() + "-" + record.partition() + "@" + record.offset();
			say("BEGIN " + id);
			if ("stuck".equals(record.value())) {
				never.await();
			}
			if (millis > 0) {
				Thread.sleep(millis);
			}
			say("END " + id);
		};
		ConfigurableApplicationContext context = new SpringApplicationBuilder(Member.SingleTopic.class)
			.web(WebApplicationType.NONE)
			.initializers(
					(ConfigurableApplicationContext target) -> ((GenericApplicationContext) target).getBeanFactory()
						.registerSingleton("recordHandler", handler))
			.listeners((ApplicationListener<PartitionsLostEvent>) (event) -> say("LOST"),
					(ApplicationListener<PartitionsAssignedEvent>) (event) -> say("ASSIGNED"))
			.run(arguments);
		SimpleMeterRegistry meters = context.getBean(SimpleMeterRegistry.class);
		double told = 0;
		while (true) {
			Thread.sleep(100);
			double stale = meters.find("evenkeel.consumer.records")
				.tag("outcome", "stale")
				.counters()
				.stream()
				.mapToDouble(Counter::count)
				.sum();
			if (stale > told) {
				told = stale;
				say("STALE " + (long) stale);
			}
		}
	}

	private static void say(String what) {
		synchronized (System.out) {
			System.out.println("::" + what + " " + System.currentTimeMillis());
			System.out.flush();
		}
	}

}
