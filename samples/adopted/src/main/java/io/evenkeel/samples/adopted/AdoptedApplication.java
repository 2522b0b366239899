package io.evenkeel.samples.adopted;

import org.apache.kafka.clients.admin.NewTopic;

import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.context.annotation.Bean;
import org.springframework.kafka.config.TopicBuilder;

/**
 * The parcel service.
 */
@SpringBootApplication
public class AdoptedApplication {

	public static void main(String[] args) {
		SpringApplication.run(AdoptedApplication.class, args);
	}

	@Bean
	NewTopic parcels() {
		return TopicBuilder.name("parcels").partitions(3).replicas(1).build();
	}

	@Bean
	NewTopic scans() {
		return TopicBuilder.name("scans").partitions(3).replicas(1).build();
	}

	@Bean
	NewTopic notices() {
		return TopicBuilder.name("notices").partitions(3).replicas(1).build();
	}

}
