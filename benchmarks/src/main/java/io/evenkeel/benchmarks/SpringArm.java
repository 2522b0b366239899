package io.evenkeel.benchmarks;

import java.util.Map;
import java.util.UUID;

import org.apache.kafka.clients.consumer.ConsumerRecord;

import org.springframework.boot.WebApplicationType;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Configuration;
import org.springframework.kafka.annotation.KafkaListener;

/**
 * An annotated listener in a Spring Boot application, on our container or on
 * spring-kafka's.
 *
 * @param name for the table
 * @param servers the broker
 * @param properties what makes this arm different
 */
record SpringArm(String name, String servers, Map<String, String> properties) implements Arm {

	private static volatile Work current;

	@Override
	public void consume(Workload workload, Work work) throws Exception {
		current = work;
		SpringApplicationBuilder application = new SpringApplicationBuilder(Application.class)
			.web(WebApplicationType.NONE)
			.properties("bench.topic=" + workload.topic(), "spring.kafka.bootstrap-servers=" + this.servers,
					"spring.kafka.consumer.group-id=" + UUID.randomUUID(),
					"spring.kafka.consumer.auto-offset-reset=earliest", "spring.main.banner-mode=off",
					"spring.kafka.listener.concurrency=" + workload.concurrency(), "logging.level.root=warn",
					"logging.level.io.evenkeel=warn");
		this.properties.forEach((key, value) -> application.properties(key + "=" + value));
		try (ConfigurableApplicationContext context = application.run()) {
			work.await();
		}
	}

	@Configuration(proxyBeanMethods = false)
	@EnableAutoConfiguration
	static class Application {

		@KafkaListener(id = "bench", idIsGroup = false, topics = "${bench.topic}")
		void listen(ConsumerRecord<String, String> record) {
			current.handle();
		}

	}

}
