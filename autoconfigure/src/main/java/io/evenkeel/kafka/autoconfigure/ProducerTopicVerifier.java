package io.evenkeel.kafka.autoconfigure;

import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

import io.evenkeel.kafka.autoconfigure.EvenkeelProducerProperties.OnMissing;
import io.evenkeel.kafka.autoconfigure.EvenkeelProducerProperties.Startup;
import io.evenkeel.kafka.thread.OwnThreads;
import org.apache.commons.logging.Log;
import org.apache.commons.logging.LogFactory;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.DescribeTopicsOptions;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.common.KafkaFuture;

import org.springframework.context.SmartLifecycle;
import org.springframework.kafka.core.KafkaAdmin;

/**
 * Looks up the topics that must exist when the application starts, after
 * {@link KafkaAdmin} had its chance to create them and before any listener runs.
 * <p>
 * <b>Threading.</b> {@link #start()} waits, at most for the start-up timeout; the look-up
 * runs on a thread of its own, because making an admin client resolves names for as long
 * as the resolver likes.
 */
final class ProducerTopicVerifier implements SmartLifecycle {

	private static final Log logger = LogFactory.getLog(ProducerTopicVerifier.class);

	private final Startup settings;

	private final KafkaAdmin admin;

	private volatile boolean running;

	ProducerTopicVerifier(Startup settings, KafkaAdmin admin) {
		this.settings = settings;
		this.admin = admin;
	}

	@Override
	public int getPhase() {
		return Integer.MIN_VALUE + 1000;
	}

	@Override
	public void start() {
		this.running = true;
		Set<String> wanted = new LinkedHashSet<>(this.settings.getVerifyTopics());
		Duration timeout = this.settings.getTimeout();
		CompletableFuture<Findings> lookUp = new CompletableFuture<>();
		OwnThreads
			.daemon("evenkeel-verify-topics", Thread.currentThread().getContextClassLoader(),
					() -> lookUp(wanted, timeout, lookUp))
			.start();
		Findings findings;
		try {
			findings = lookUp.get(timeout.toNanos(), TimeUnit.NANOSECONDS);
		}
		catch (TimeoutException ex) {
			findings = new Findings(List.of(), List.copyOf(wanted), "no answer within " + timeout.toMillis() + " ms");
		}
		catch (ExecutionException ex) {
			findings = new Findings(List.of(), List.copyOf(wanted), String.valueOf(ex.getCause()));
		}
		catch (InterruptedException ex) {
			Thread.currentThread().interrupt();
			return;
		}
		report(findings);
	}

	private void report(Findings findings) {
		if (findings.missing().isEmpty() && findings.unknown().isEmpty()) {
			return;
		}
		ProducerMissingTopicsException problem = new ProducerMissingTopicsException(findings.missing(),
				findings.unknown(), findings.why(), bootstrapServers());
		if (this.settings.getOnMissing() == OnMissing.FAIL) {
			this.running = false;
			throw problem;
		}
		logger.warn(problem.getMessage());
	}

	private String bootstrapServers() {
		return String.valueOf(this.admin.getConfigurationProperties().get("bootstrap.servers"));
	}

	private void lookUp(Set<String> wanted, Duration timeout, CompletableFuture<Findings> result) {
		try (Admin client = Admin.create(this.admin.getConfigurationProperties())) {
			DescribeTopicsOptions options = new DescribeTopicsOptions();
			options.timeoutMs((int) Math.min(timeout.toMillis(), Integer.MAX_VALUE));
			Map<String, KafkaFuture<TopicDescription>> answers = client.describeTopics(wanted, options)
				.topicNameValues();
			List<String> missing = new ArrayList<>();
			List<String> unknown = new ArrayList<>();
			String why = "";
			for (Map.Entry<String, KafkaFuture<TopicDescription>> answer : answers.entrySet()) {
				try {
					answer.getValue().get();
				}
				catch (ExecutionException ex) {
					if (ProducerMissingTopicsException.saysMissing(ex.getCause())) {
						missing.add(answer.getKey());
					}
					else {
						unknown.add(answer.getKey());
						why = String.valueOf(ex.getCause());
					}
				}
			}
			result.complete(new Findings(missing, unknown, why));
		}
		catch (InterruptedException ex) {
			Thread.currentThread().interrupt();
			result.completeExceptionally(ex);
		}
		catch (RuntimeException ex) {
			result.completeExceptionally(ex);
		}
	}

	@Override
	public void stop() {
		this.running = false;
	}

	@Override
	public boolean isRunning() {
		return this.running;
	}

	/**
	 * What was found.
	 *
	 * @param missing topics that the cluster does not have
	 * @param unknown topics that could not be looked up
	 * @param why why they could not
	 */
	private record Findings(List<String> missing, List<String> unknown, String why) {

	}

}
