package io.evenkeel.samples.orders;

import java.util.Map;

import org.springframework.beans.factory.config.ConfigurableListableBeanFactory;
import org.springframework.boot.ApplicationArguments;
import org.springframework.boot.WebApplicationType;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.core.env.Environment;
import org.springframework.core.env.MapPropertySource;
import org.springframework.stereotype.Component;

/**
 * Starts the application a second time, as another deployment of it would: its own
 * context, its own consumer, the same group. Only what the story is told by is shared.
 */
@Component
class SecondMember {

	static final String NAME = "second";

	private final ApplicationArguments arguments;

	private final Environment environment;

	private final DemoProperties demo;

	private final Map<String, Object> shared;

	SecondMember(ApplicationArguments arguments, Environment environment, DemoProperties demo, Narrator narrator,
			Ledger ledger, Members members) {
		this.arguments = arguments;
		this.environment = environment;
		this.demo = demo;
		this.shared = Map.of("narrator", narrator, "ledger", ledger, "members", members);
	}

	/**
	 * Join the group.
	 * @return the running application; to be closed to leave the group
	 */
	ConfigurableApplicationContext join() {
		return new SpringApplicationBuilder(OrdersApplication.class).web(WebApplicationType.NONE)
			.initializers(this::prepare)
			.run(this.arguments.getSourceArgs());
	}

	private void prepare(ConfigurableApplicationContext context) {
		Map<String, Object> properties = Map.of("demo.member", NAME, "demo.run", this.demo.run(), "demo.story", false,
				EmbeddedBroker.SERVERS, this.environment.getRequiredProperty(EmbeddedBroker.SERVERS));
		context.getEnvironment().getPropertySources().addFirst(new MapPropertySource("secondMember", properties));
		ConfigurableListableBeanFactory beans = context.getBeanFactory();
		this.shared.forEach(beans::registerSingleton);
	}

}
