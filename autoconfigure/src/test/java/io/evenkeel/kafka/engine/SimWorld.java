package io.evenkeel.kafka.engine;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;

import io.evenkeel.kafka.engine.dispatch.Ordering;
import io.evenkeel.kafka.engine.retry.RetrySettings;
import org.apache.kafka.common.TopicPartition;

/**
 * A group of members on simulated brokers, under one clock and one source of randomness:
 * the same seed is the same history. Wherever a member waits, the rest of the world goes
 * on, so that whatever threads could interleave is nested here.
 */
final class SimWorld {

	private static final long MILLI = TimeUnit.MILLISECONDS.toNanos(1);

	private static final int DEPTH = 3;

	final Random random;

	final EngineSettings settings;

	final SimBroker broker;

	final SimOracle oracle;

	final int maxPoll;

	final int asyncShare;

	final int failureShare;

	/** Whether handlers acknowledge by hand. */
	final boolean manual;

	/** How often, in a hundred of its occasions, the application or the log moves. */
	final int moves;

	/** The brokers refuse a commit with more characters of metadata. */
	final int mostMetadata;

	final int poison;

	private final int keys;

	private final List<SimMember> members = new ArrayList<>();

	private int named;

	private int depth;

	private int evictions;

	long now = 1_000_000_000L;

	/** Time that passed in nested steps: not the waiting one's own. */
	long foreign;

	boolean faults = true;

	SimWorld(long seed) {
		this.random = new Random(seed * 0x9E3779B97F4A7C15L + 1);
		SimBroker.Protocol protocol = SimBroker.Protocol.values()[this.random.nextInt(3)];
		int batch = (this.random.nextInt(4) == 0) ? 1 + this.random.nextInt(4) : 0;
		Ordering ordering = (batch > 0) ? Ordering.PARTITION : Ordering.values()[this.random.nextInt(3)];
		int concurrency = 1 + this.random.nextInt(4);
		int maxPending = concurrency + this.random.nextInt(30);
		this.maxPoll = 1 + this.random.nextInt(8);
		this.keys = 1 + this.random.nextInt(5);
		this.asyncShare = this.random.nextInt(80);
		this.failureShare = this.random.nextInt(30);
		this.manual = this.random.nextInt(3) == 0;
		this.moves = (this.random.nextInt(3) == 0) ? 1 + this.random.nextInt(20) : 0;
		this.mostMetadata = (this.random.nextInt(4) == 0) ? this.random.nextInt(40) : EngineSettings.MAX_METADATA;
		this.poison = (this.random.nextInt(4) == 0) ? 1 + this.random.nextInt(10) : 0;
		boolean coverEarlier = this.manual && ordering == Ordering.PARTITION;
		this.settings = new EngineSettings(ordering, concurrency, batch, maxPending, Long.MAX_VALUE / 2,
				Duration.ofMillis(500), Duration.ofMillis(800), this.random.nextInt(5) > 0, Duration.ofSeconds(1),
				this.random.nextBoolean() ? OnDrainTimeout.ABANDON : OnDrainTimeout.INTERRUPT, Duration.ofMillis(100),
				new RetrySettings(1 + this.random.nextInt(3), Duration.ofMillis(50), 2, Duration.ofMillis(400), 0.2),
				this.random.nextBoolean(), protocol == SimBroker.Protocol.CONSUMER, coverEarlier, true);
		this.oracle = new SimOracle(this);
		this.broker = new SimBroker(this, this.random, protocol, 1 + this.random.nextInt(6));
	}

	String key(long offset) {
		int key = (int) ((offset * 31 + offset / 7) % (this.keys + 1));
		return (key == 0) ? null : "k" + key;
	}

	boolean mayStick(SimMember member) {
		return member.open.stream()
			.filter((call) -> call.stuck)
			.count() < Math.min(member.dispatcher.limit(), this.settings.concurrency()) - 1;
	}

	/** Time passes, and others do something meanwhile. */
	void pass(long nanos) {
		long step = (nanos > 0) ? (long) (this.random.nextDouble() * nanos) + 1 : 0;
		this.now += step;
		if (this.depth >= DEPTH) {
			return;
		}
		long before = this.now;
		long foreignBefore = this.foreign;
		this.depth++;
		for (int i = this.random.nextInt(3); i > 0; i--) {
			step();
		}
		this.depth--;
		this.foreign = foreignBefore + this.now - before;
		if (this.random.nextInt(8) == 0) {
			// A pause of the whole process: everyone finds a clock that has jumped.
			long jump = this.random.nextInt(300) * MILLI;
			this.now += jump;
			this.foreign += jump;
		}
	}

	void run(int steps) {
		for (int i = this.random.nextInt(3); i >= 0; i--) {
			join();
		}
		this.broker.logs.values().forEach((log) -> log.produce(this.random, this.random.nextInt(20), this.poison));
		for (int i = 0; i < steps; i++) {
			step();
		}
		quiesce();
	}

	private void join() {
		if (this.members.size() < 4) {
			this.members.add(new SimMember("m" + this.named++, this));
		}
	}

	private SimMember any() {
		return this.members.get(this.random.nextInt(this.members.size()));
	}

	private void step() {
		this.oracle.throwIfViolated();
		this.members.removeIf((member) -> member.gone && !member.busy && !this.broker.members.contains(member.client));
		if (this.members.isEmpty()) {
			join();
			return;
		}
		SimMember member = any();
		int choice = this.random.nextInt(200);
		if (choice < 80) {
			member.turn();
		}
		else if (choice < 140) {
			member.work();
		}
		else if (choice < 170) {
			member.completeOne();
			member.acknowledgeOne();
			member.recoverOne();
		}
		else if (choice < 180) {
			this.now += this.random.nextInt(200) * MILLI;
		}
		else if (this.faults) {
			disturb(member, choice);
		}
	}

	private void disturb(SimMember member, int choice) {
		if (choice < 188) {
			List<SimBroker.Log> logs = List.copyOf(this.broker.logs.values());
			logs.get(this.random.nextInt(logs.size())).produce(this.random, 1 + this.random.nextInt(8), this.poison);
		}
		else if (choice < 190) {
			join();
		}
		else if (choice < 191) {
			member.stop();
		}
		else if (choice < 193) {
			this.broker.trigger();
		}
		else if (choice < 196) {
			disturbUse(member);
		}
		else if (choice < 197) {
			SimMember.Open stuck = member.open.stream().filter((call) -> call.stuck).findFirst().orElse(null);
			if (stuck != null) {
				stuck.stuck = false;
			}
		}
		else if (this.random.nextInt(4) == 0) {
			harm(member);
		}
	}

	/** What an application asks for. */
	private void disturbUse(SimMember member) {
		switch (this.random.nextInt(4)) {
			case 0 -> member.seek();
			case 1 -> member.limit(1 + this.random.nextInt(this.settings.concurrency() + 2));
			default -> pauseOrResume(member);
		}
	}

	private void pauseOrResume(SimMember member) {
		if (member.allPaused || this.random.nextInt(8) == 0) {
			member.allPaused = !member.allPaused;
		}
		else if (!member.userPaused.isEmpty() && this.random.nextBoolean()) {
			member.userPaused.clear();
		}
		else if (!member.client.owned.isEmpty()) {
			List<TopicPartition> owned = List.copyOf(member.client.owned);
			member.userPaused.add(owned.get(this.random.nextInt(owned.size())));
		}
	}

	private void harm(SimMember member) {
		if (member.busy || member.gone) {
			return;
		}
		switch (this.random.nextInt(4)) {
			case 3 -> {
				// Another member has its identity.
				this.broker.evict(member.client);
				member.client.fenced = true;
			}
			case 0 -> {
				member.crash();
				this.broker.evict(member.client);
			}
			case 1 -> {
				member.freeze(this.random.nextInt(3000) * MILLI);
				this.broker.evict(member.client);
			}
			default -> this.broker.evict(member.client);
		}
	}

	private void quiesce() {
		this.faults = false;
		for (SimMember member : List.copyOf(this.members)) {
			member.userPaused.clear();
			member.allPaused = false;
			member.limit(this.settings.concurrency());
			member.frozenUntil = 0;
		}
		int before = -1;
		while (before < this.oracle.ends) {
			before = this.oracle.ends;
			rounds(50);
		}
		this.oracle.checkLiveness(this.members);
		this.members.forEach((member) -> member.open.forEach((call) -> call.stuck = false));
		for (int i = 0; i < 200 && !this.oracle.isAllDone(); i++) {
			rounds(10);
		}
		if (!this.oracle.isAllDone()) {
			throw new AssertionError("G1 not everything was handled and committed: " + describe());
		}
		rounds(3);
		this.members.forEach(SimMember::turn);
		this.members.stream().filter((member) -> !member.gone).forEach(this.oracle::checkOutcomes);
	}

	private void rounds(int rounds) {
		for (int i = 0; i < rounds; i++) {
			this.oracle.throwIfViolated();
			if (this.members.stream().noneMatch((member) -> !member.gone && !member.stopping)) {
				this.members.add(new SimMember("last", this));
			}
			for (SimMember member : List.copyOf(this.members)) {
				member.turn();
				for (int j = 0; j < 20 && member.work(); j++) {
					member.completeOne();
				}
				member.completeOne();
				member.acknowledgeAll();
				member.recoverOne();
			}
			this.now += 100 * MILLI;
		}
	}

	private String describe() {
		StringBuilder text = new StringBuilder();
		this.broker.logs.forEach((partition, log) -> text.append(partition)
			.append(" end ")
			.append(log.end)
			.append(" committed ")
			.append(this.broker.committed.get(partition))
			.append(this.members.stream()
				.filter((member) -> member.client.owned.contains(partition))
				.map((member) -> member + " " + member.describe(partition))
				.toList())
			.append("; "));
		return text.toString();
	}

}
