package io.evenkeel.kafka.autoconfigure;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

import org.jspecify.annotations.Nullable;

/**
 * A cluster beside the one of {@code spring.kafka}. What is not set here is as there.
 */
public class EvenkeelClusterProperties {

	/**
	 * Host and port of its brokers.
	 */
	private List<String> bootstrapServers = new ArrayList<>();

	/**
	 * Beginning of the ids of its clients; the name of the cluster unless set.
	 */
	private @Nullable String clientId;

	private final Security security = new Security();

	private final Ssl ssl = new Ssl();

	/**
	 * Properties of all its clients, by Kafka's own names.
	 */
	private final Map<String, String> properties = new HashMap<>();

	public List<String> getBootstrapServers() {
		return this.bootstrapServers;
	}

	public void setBootstrapServers(List<String> bootstrapServers) {
		this.bootstrapServers = bootstrapServers;
	}

	public @Nullable String getClientId() {
		return this.clientId;
	}

	public void setClientId(@Nullable String clientId) {
		this.clientId = clientId;
	}

	public Security getSecurity() {
		return this.security;
	}

	public Ssl getSsl() {
		return this.ssl;
	}

	public Map<String, String> getProperties() {
		return this.properties;
	}

	/**
	 * How its brokers are spoken to.
	 */
	public static class Security {

		/**
		 * The security protocol, for example SASL_SSL.
		 */
		private @Nullable String protocol;

		public @Nullable String getProtocol() {
			return this.protocol;
		}

		public void setProtocol(@Nullable String protocol) {
			this.protocol = protocol;
		}

	}

	/**
	 * Keys and certificates.
	 */
	public static class Ssl {

		/**
		 * Name of an SSL bundle.
		 */
		private @Nullable String bundle;

		public @Nullable String getBundle() {
			return this.bundle;
		}

		public void setBundle(@Nullable String bundle) {
			this.bundle = bundle;
		}

	}

}
