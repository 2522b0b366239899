package io.evenkeel.kafka.actuate;

import java.time.Instant;
import java.util.List;
import java.util.Map;

import io.evenkeel.kafka.deadletter.DeadLetterSummary;
import io.evenkeel.kafka.deadletter.DeadLetters;
import io.evenkeel.kafka.deadletter.Replay;
import io.evenkeel.kafka.deadletter.Selection;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.actuate.endpoint.Access;
import org.springframework.boot.actuate.endpoint.annotation.Endpoint;
import org.springframework.boot.actuate.endpoint.annotation.ReadOperation;
import org.springframework.boot.actuate.endpoint.annotation.Selector;
import org.springframework.boot.actuate.endpoint.annotation.WriteOperation;
import org.springframework.boot.actuate.endpoint.web.WebEndpointResponse;

/**
 * Shows dead letters and, with write access, sends them back or puts them aside. Unlike
 * the other endpoint this one asks the brokers.
 */
@Endpoint(id = "evenkeeldeadletters", defaultAccess = Access.READ_ONLY)
public final class EvenkeelDeadLettersEndpoint {

	private static final int PER_SECOND = 100;

	private final DeadLetters deadLetters;

	/**
	 * Make the endpoint.
	 * @param deadLetters what it shows
	 */
	public EvenkeelDeadLettersEndpoint(DeadLetters deadLetters) {
		this.deadLetters = deadLetters;
	}

	/**
	 * Show what there is.
	 * @return the dead-letter topics and the last replay
	 */
	@ReadOperation
	public Descriptor deadLetters() {
		Replay last = this.deadLetters.lastReplay();
		return new Descriptor(this.deadLetters.list(), (last != null) ? progress(last) : null);
	}

	/**
	 * Do something with the dead letters of a topic.
	 * @param topic the dead-letter topic
	 * @param action replay, stop or drop
	 * @param partition one partition, null for all
	 * @param from the first offset, null for the first there is
	 * @param to the last offset, null for the last there is
	 * @param perSecond the most records in a second, null for 100
	 * @return 202 with the progress of a replay that has begun or was stopped, 200 with
	 * the number of dropped ones, 404 for an unknown topic, 409 while another replay is
	 * running, 400 for a bad value
	 */
	@WriteOperation
	public WebEndpointResponse<Object> act(@Selector String topic, String action, @Nullable Integer partition,
			@Nullable Long from, @Nullable Long to, @Nullable Integer perSecond) {
		try {
			return switch (action) {
				case "replay" -> new WebEndpointResponse<>(progress(this.deadLetters.replay(topic,
						new Selection(partition, from, to), (perSecond != null) ? perSecond : PER_SECOND)), 202);
				case "drop" -> new WebEndpointResponse<>(
						Map.of("dropped", this.deadLetters.drop(topic, new Selection(partition, from, to))),
						WebEndpointResponse.STATUS_OK);
				case "stop" -> stop(topic);
				default -> new WebEndpointResponse<>(WebEndpointResponse.STATUS_BAD_REQUEST);
			};
		}
		catch (IllegalArgumentException ex) {
			boolean known = this.deadLetters.topics().contains(topic);
			return new WebEndpointResponse<>(Map.of("error", String.valueOf(ex.getMessage())),
					known ? WebEndpointResponse.STATUS_BAD_REQUEST : WebEndpointResponse.STATUS_NOT_FOUND);
		}
		catch (IllegalStateException ex) {
			return new WebEndpointResponse<>(Map.of("error", String.valueOf(ex.getMessage())), 409);
		}
	}

	private WebEndpointResponse<Object> stop(String topic) {
		Replay last = this.deadLetters.lastReplay();
		if (last == null || !last.topic().equals(topic)) {
			return new WebEndpointResponse<>(WebEndpointResponse.STATUS_NOT_FOUND);
		}
		last.stop();
		return new WebEndpointResponse<>(progress(last), 202);
	}

	private static Progress progress(Replay replay) {
		return new Progress(replay.topic(), replay.state().name(), replay.since(), replay.sent(), replay.failure());
	}

	/**
	 * What the endpoint shows.
	 *
	 * @param topics the dead-letter topics of this application's listeners
	 * @param replay the last replay, null when there was none
	 */
	public record Descriptor(List<DeadLetterSummary> topics, @Nullable Progress replay) {
	}

	/**
	 * How far a replay is.
	 *
	 * @param topic the dead-letter topic
	 * @param state RUNNING, DONE, STOPPED or FAILED
	 * @param since when it began
	 * @param sent how many were sent
	 * @param failure why it has failed, null unless it has
	 */
	public record Progress(String topic, String state, Instant since, long sent, @Nullable String failure) {
	}

}
