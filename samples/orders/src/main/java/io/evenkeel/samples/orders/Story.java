package io.evenkeel.samples.orders;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

import org.springframework.boot.ApplicationArguments;
import org.springframework.boot.ApplicationRunner;
import org.springframework.boot.ExitCodeGenerator;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBooleanProperty;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.core.env.Environment;
import org.springframework.stereotype.Component;

/**
 * Plays the story once the application has started: a stream of orders, through which a
 * second member joins and leaves and one order goes to a topic that does not exist. Each
 * chapter ends with an event, or is given up after a while.
 */
@Component
@ConditionalOnBooleanProperty(name = "demo.story", matchIfMissing = true)
class Story implements ApplicationRunner, ExitCodeGenerator {

	private static final Duration PATIENCE = Duration.ofSeconds(60);

	private static final Duration SEND_PATIENCE = Duration.ofSeconds(90);

	private final DemoProperties demo;

	private final Environment environment;

	private final Cluster cluster;

	private final OrderPublisher publisher;

	private final SecondMember secondMember;

	private final Narrator narrator;

	private final Ledger ledger;

	private final Members members;

	private boolean complete = true;

	Story(DemoProperties demo, Environment environment, Cluster cluster, OrderPublisher publisher,
			SecondMember secondMember, Narrator narrator, Ledger ledger, Members members) {
		this.demo = demo;
		this.environment = environment;
		this.cluster = cluster;
		this.publisher = publisher;
		this.secondMember = secondMember;
		this.narrator = narrator;
		this.ledger = ledger;
		this.members = members;
	}

	@Override
	public void run(ApplicationArguments arguments) throws Exception {
		int partitions = this.cluster.partitionsOf(OrderPublisher.TOPIC);
		this.narrator.tell("Run %s on %s, topic '%s' with %d partitions", this.demo.run(),
				this.environment.getProperty(EmbeddedBroker.SERVERS), OrderPublisher.TOPIC, partitions);
		expect("the first member holds all partitions", this.members, () -> firstHolds(partitions));
		this.narrator.tell("Orders begin to flow: %d a second, for %d customers", this.demo.perSecond(),
				this.demo.customers());
		try (OrderStream stream = OrderStream.start(this.publisher, this.demo)) {
			expectHandledBy(this.demo.member());
			visitOfSecondMember(partitions);
			orderForMissingTopic();
			stream.finish();
		}
		this.narrator.tell("All orders are published");
		expect("every order is handled", this.ledger, this.ledger::settled);
		this.narrator.print("");
		this.narrator.print(summary());
		this.narrator.print("");
		if (!this.demo.exit()) {
			tellHowToGoOn();
		}
	}

	/**
	 * Tell how it went.
	 * @return 0 if every chapter came to its end and nothing was lost, handled twice or
	 * out of order
	 */
	@Override
	public int getExitCode() {
		Summary summary = summary();
		return (this.complete && summary.sent() > 0 && summary.flawless()) ? 0 : 1;
	}

	private void visitOfSecondMember(int partitions) throws InterruptedException {
		this.narrator.tell("A second member joins");
		try (ConfigurableApplicationContext second = this.secondMember.join()) {
			expect("the second member holds partitions", this.members, () -> secondHolds() > 0);
			expectHandledBy(SecondMember.NAME);
			this.narrator.tell("The second member has handled %d orders and leaves",
					this.ledger.completedBy(SecondMember.NAME));
		}
		expect("the first member holds all partitions again", this.members, () -> firstHolds(partitions));
	}

	private void orderForMissingTopic() throws InterruptedException {
		String topic = this.demo.missingTopic();
		if (this.cluster.createsTopicsByItself()) {
			this.narrator.tell("This cluster creates missing topics by itself: nothing is sent to '%s'", topic);
			return;
		}
		this.narrator.tell("An order goes to '%s', a topic that does not exist", topic);
		int before = this.ledger.acknowledged();
		OrderPlaced order = new OrderPlaced(this.demo.run(), "archived", "customer-00", 0, "logbook", 1);
		CompletableFuture<String> outcome = this.publisher.copyTo(topic, order)
			.handle((result, failure) -> (failure != null) ? "It failed: " + Failures.reasonOf(failure)
					: "It was acknowledged: the topic exists")
			.completeOnTimeout("It neither failed nor was acknowledged", SEND_PATIENCE.toSeconds(), TimeUnit.SECONDS);
		this.narrator.tell("%s", outcome.join());
		this.narrator.tell("Meanwhile %d other orders were acknowledged", this.ledger.acknowledged() - before);
	}

	private void expectHandledBy(String member) throws InterruptedException {
		int enough = this.ledger.completedBy(member) + this.demo.ordersPerChapter();
		expect("the %s member has handled %d orders".formatted(member, enough), this.ledger,
				() -> this.ledger.completedBy(member) >= enough);
	}

	private void expect(String what, Watched watched, BooleanSupplier condition) throws InterruptedException {
		if (!watched.await(condition, PATIENCE)) {
			this.complete = false;
			this.narrator.tell("Waited in vain for %d s until %s", PATIENCE.toSeconds(), what);
		}
	}

	private boolean firstHolds(int partitions) {
		return this.members.partitionsOf(this.demo.member()) == partitions;
	}

	private int secondHolds() {
		return this.members.partitionsOf(SecondMember.NAME);
	}

	private Summary summary() {
		return this.ledger.summary(this.members.rebalances());
	}

	private void tellHowToGoOn() {
		String address = "http://localhost:" + this.environment.getProperty("local.server.port", "8080");
		this.narrator.print("The service stays up; Ctrl-C ends it. Try:");
		this.narrator.print("  curl -H 'Content-Type: application/json' " + address
				+ "/orders -d '{\"customer\":\"ada\",\"item\":\"rope\",\"quantity\":2}'");
		this.narrator.print("  curl " + address + "/summary");
	}

}
