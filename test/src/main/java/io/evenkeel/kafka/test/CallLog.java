package io.evenkeel.kafka.test;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.jspecify.annotations.Nullable;

import org.springframework.kafka.listener.BatchInterceptor;
import org.springframework.kafka.listener.ListenerExecutionFailedException;
import org.springframework.kafka.listener.RecordInterceptor;

/**
 * What became of the calls of one listener. It stands between the container and the
 * interceptors of the application, on whatever thread a call runs.
 */
final class CallLog {

	private final String listener;

	private final @Nullable String group;

	private final FakeCluster cluster;

	private final ManualClock clock;

	/** Under the cluster's monitor. */
	private final Map<Place, History> histories = new HashMap<>();

	/** Under the cluster's monitor. */
	private final List<Call> calls = new ArrayList<>();

	CallLog(String listener, @Nullable String group, FakeCluster cluster, ManualClock clock) {
		this.listener = listener;
		this.group = group;
		this.cluster = cluster;
		this.clock = clock;
	}

	String listener() {
		return this.listener;
	}

	@Nullable String group() {
		return this.group;
	}

	<K, V> RecordInterceptor<K, V> around(@Nullable RecordInterceptor<K, V> theirs) {
		return new Records<>(theirs);
	}

	<K, V> BatchInterceptor<K, V> around(@Nullable BatchInterceptor<K, V> theirs) {
		return new Batches<>(theirs);
	}

	/** What is known of a record. Under the cluster's monitor. */
	History history(StoredRecord record) {
		return this.histories.computeIfAbsent(new Place(record.topic(), record.partition(), record.offset()),
				(place) -> new History());
	}

	List<Call> calls() {
		synchronized (this.cluster) {
			return List.copyOf(this.calls);
		}
	}

	void clear() {
		synchronized (this.cluster) {
			this.histories.clear();
			this.calls.clear();
		}
	}

	private void began(ConsumerRecord<?, ?> record) {
		this.clock.letGo();
		synchronized (this.cluster) {
			History history = of(record);
			history.attempts++;
			this.calls.add(new Call(this.listener, record.topic(), record.partition(), record.offset(),
					Objects.toString(record.key(), null), history.attempts));
			this.cluster.notifyAll();
		}
	}

	private void skipped(ConsumerRecord<?, ?> record) {
		synchronized (this.cluster) {
			of(record).skipped = true;
			this.cluster.notifyAll();
		}
	}

	private void ended(ConsumerRecord<?, ?> record, @Nullable Exception failure) {
		if (failure != null) {
			this.clock.hold();
		}
		synchronized (this.cluster) {
			History history = of(record);
			if (failure == null) {
				history.succeeded = true;
			}
			else {
				history.failures.add(cause(failure));
			}
			this.cluster.notifyAll();
		}
	}

	private static Throwable cause(Exception failure) {
		return (failure instanceof ListenerExecutionFailedException && failure.getCause() != null) ? failure.getCause()
				: failure;
	}

	private History of(ConsumerRecord<?, ?> record) {
		return this.histories.computeIfAbsent(new Place(record.topic(), record.partition(), record.offset()),
				(place) -> new History());
	}

	private record Place(String topic, int partition, long offset) {
	}

	/**
	 * What became of one record.
	 */
	static final class History {

		int attempts;

		boolean succeeded;

		boolean skipped;

		final List<Throwable> failures = new ArrayList<>();

	}

	private final class Records<K, V> implements RecordInterceptor<K, V> {

		private final @Nullable RecordInterceptor<K, V> theirs;

		Records(@Nullable RecordInterceptor<K, V> theirs) {
			this.theirs = theirs;
		}

		@Override
		public @Nullable ConsumerRecord<K, V> intercept(ConsumerRecord<K, V> record, Consumer<K, V> consumer) {
			ConsumerRecord<K, V> result = (this.theirs != null) ? this.theirs.intercept(record, consumer) : record;
			if (result != null) {
				began(record);
			}
			else {
				skipped(record);
			}
			return result;
		}

		@Override
		public void success(ConsumerRecord<K, V> record, Consumer<K, V> consumer) {
			ended(record, null);
			if (this.theirs != null) {
				this.theirs.success(record, consumer);
			}
		}

		@Override
		public void failure(ConsumerRecord<K, V> record, Exception exception, Consumer<K, V> consumer) {
			ended(record, exception);
			if (this.theirs != null) {
				this.theirs.failure(record, exception, consumer);
			}
		}

		@Override
		public void afterRecord(ConsumerRecord<K, V> record, Consumer<K, V> consumer) {
			if (this.theirs != null) {
				this.theirs.afterRecord(record, consumer);
			}
		}

		@Override
		public void setupThreadState(Consumer<?, ?> consumer) {
			if (this.theirs != null) {
				this.theirs.setupThreadState(consumer);
			}
		}

		@Override
		public void clearThreadState(Consumer<?, ?> consumer) {
			if (this.theirs != null) {
				this.theirs.clearThreadState(consumer);
			}
		}

	}

	private final class Batches<K, V> implements BatchInterceptor<K, V> {

		private final @Nullable BatchInterceptor<K, V> theirs;

		Batches(@Nullable BatchInterceptor<K, V> theirs) {
			this.theirs = theirs;
		}

		@Override
		public @Nullable ConsumerRecords<K, V> intercept(ConsumerRecords<K, V> records, Consumer<K, V> consumer) {
			ConsumerRecords<K, V> result = (this.theirs != null) ? this.theirs.intercept(records, consumer) : records;
			records.forEach((record) -> {
				if (result != null) {
					began(record);
				}
				else {
					skipped(record);
				}
			});
			return result;
		}

		@Override
		public void success(ConsumerRecords<K, V> records, Consumer<K, V> consumer) {
			records.forEach((record) -> ended(record, null));
			if (this.theirs != null) {
				this.theirs.success(records, consumer);
			}
		}

		@Override
		public void failure(ConsumerRecords<K, V> records, Exception exception, Consumer<K, V> consumer) {
			records.forEach((record) -> ended(record, exception));
			if (this.theirs != null) {
				this.theirs.failure(records, exception, consumer);
			}
		}

		@Override
		public void setupThreadState(Consumer<?, ?> consumer) {
			if (this.theirs != null) {
				this.theirs.setupThreadState(consumer);
			}
		}

		@Override
		public void clearThreadState(Consumer<?, ?> consumer) {
			if (this.theirs != null) {
				this.theirs.clearThreadState(consumer);
			}
		}

	}

}
