package io.evenkeel.kafka.container.setup;

import java.util.HashMap;
import java.util.Map;
import java.util.function.Supplier;

import io.evenkeel.kafka.container.listener.ListenerContext;
import io.evenkeel.kafka.thread.OwnThreads;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.context.ApplicationContext;
import org.springframework.kafka.core.KafkaAdmin;

/**
 * The id of the cluster that a listener reads from, which its observations name. It is
 * asked for once, by a thread of its own while the container starts: no call waits for
 * it, and one that comes before the answer goes without.
 *
 * <h2>Threading</h2> Written by that thread, read by workers.
 */
final class ClusterId implements Supplier<@Nullable String> {

	private static final Logger logger = LoggerFactory.getLogger(ClusterId.class);

	private volatile @Nullable String known;

	private ClusterId() {
	}

	/** For a container whose calls nobody observes. */
	static ClusterId unknown() {
		return new ClusterId();
	}

	/**
	 * Ask for the id of the cluster of a container.
	 * @param context the listener's
	 * @param own an admin that the container was given for this, null when it was not
	 * @param servers where its consumer finds the brokers, null when that is not known
	 * @return answers null until the brokers have answered
	 */
	static ClusterId of(ListenerContext context, @Nullable KafkaAdmin own, @Nullable Object servers) {
		ClusterId id = new ClusterId();
		KafkaAdmin admin = admin(context.application(), own, servers);
		if (admin != null) {
			OwnThreads.daemon(context.id() + "-cluster-id", context.classLoader(), () -> id.ask(admin)).start();
		}
		return id;
	}

	private static @Nullable KafkaAdmin admin(@Nullable ApplicationContext context, @Nullable KafkaAdmin own,
			@Nullable Object servers) {
		if (own != null || context == null) {
			return own;
		}
		KafkaAdmin admin = context.getBeanProvider(KafkaAdmin.class).getIfUnique();
		if (admin == null || servers == null) {
			return admin;
		}
		Map<String, Object> properties = new HashMap<>(admin.getConfigurationProperties());
		if (servers.equals(properties.put(AdminClientConfig.BOOTSTRAP_SERVERS_CONFIG, servers))) {
			return admin;
		}
		// The listener reads from another cluster than the admin is for.
		KafkaAdmin other = new KafkaAdmin(properties);
		other.setOperationTimeout(admin.getOperationTimeout());
		return other;
	}

	private void ask(KafkaAdmin admin) {
		try {
			this.known = admin.clusterId();
		}
		catch (RuntimeException ex) {
			logger.debug("The id of the cluster is not known", ex);
		}
	}

	@Override
	public @Nullable String get() {
		return this.known;
	}

}
