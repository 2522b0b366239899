package io.evenkeel.samples.orders;

import java.util.Map;
import java.util.UUID;

import org.apache.kafka.clients.admin.NewTopic;

import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.kafka.config.TopicBuilder;
import org.springframework.kafka.listener.ConsumerAwareRebalanceListener;

/**
 * The order service.
 */
@SpringBootApplication
@EnableConfigurationProperties(DemoProperties.class)
class OrdersApplication {

	public static void main(String[] args) {
		SpringApplication application = new SpringApplication(OrdersApplication.class);
		application.addInitializers(new EmbeddedBroker());
		application.setDefaultProperties(Map.of("demo.run", UUID.randomUUID().toString().substring(0, 8)));
		ConfigurableApplicationContext context = application.run(args);
		if (context.getBean(DemoProperties.class).exit()) {
			System.exit(SpringApplication.exit(context));
		}
	}

	@Bean
	NewTopic ordersTopic() {
		return TopicBuilder.name(OrderPublisher.TOPIC).partitions(12).build();
	}

	@Bean
	ConsumerAwareRebalanceListener rebalanceListener(Members members, DemoProperties demo) {
		return members.follow(demo.member());
	}

	@Bean
	@ConditionalOnMissingBean
	Narrator narrator() {
		return new Narrator(System.out);
	}

	@Bean
	@ConditionalOnMissingBean
	Ledger ledger() {
		return new Ledger();
	}

	@Bean
	@ConditionalOnMissingBean
	Members members(Narrator narrator) {
		return new Members(narrator);
	}

}
