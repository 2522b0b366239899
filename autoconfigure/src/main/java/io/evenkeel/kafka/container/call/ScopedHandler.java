package io.evenkeel.kafka.container.call;

import java.time.Duration;

import io.evenkeel.kafka.engine.Attempt;
import io.evenkeel.kafka.engine.RecordHandler;
import io.evenkeel.kafka.engine.RecoveryAttempt;
import io.evenkeel.kafka.engine.dispatch.Delivery;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.errors.RecordDeserializationException;
import org.jspecify.annotations.Nullable;

/**
 * Opens the scope {@code assignment} around the calls of another handler. An asynchronous
 * call keeps its beans alive until it is answered. Worker threads.
 */
public final class ScopedHandler<K, V> implements RecordHandler<K, V> {

	private final RecordHandler<K, V> delegate;

	private final AssignmentBeansTable table;

	public ScopedHandler(RecordHandler<K, V> delegate, AssignmentBeansTable table) {
		this.delegate = delegate;
		this.table = table;
	}

	@Override
	public void handle(Attempt<K, V> attempt) {
		AssignmentBeans beans = this.table.begin(attempt.assignment());
		AssignmentBeanScope scope = this.table.scope();
		attempt.whenClosed(beans::end);
		AssignmentBeans previous = scope.enter(beans);
		try {
			this.delegate.handle(attempt);
		}
		finally {
			scope.leave(previous);
		}
	}

	@Override
	public void retried(Delivery<ConsumerRecord<K, V>> delivery, Duration after, Throwable failure) {
		this.delegate.retried(delivery, after, failure);
	}

	@Override
	public void recover(RecoveryAttempt<K, V> recovery) {
		AssignmentBeans beans = this.table.begin(recovery.assignment());
		AssignmentBeanScope scope = this.table.scope();
		recovery.whenClosed(beans::end);
		@Nullable AssignmentBeans previous = scope.enter(beans);
		try {
			this.delegate.recover(recovery);
		}
		finally {
			scope.leave(previous);
		}
	}

	@Override
	public void recoveryFailed(Delivery<ConsumerRecord<K, V>> delivery, int failures, Throwable failure) {
		this.delegate.recoveryFailed(delivery, failures, failure);
	}

	@Override
	public @Nullable Throwable poison(ConsumerRecord<K, V> record) {
		return this.delegate.poison(record);
	}

	@Override
	public ConsumerRecord<K, V> undeserializable(RecordDeserializationException failure) {
		return this.delegate.undeserializable(failure);
	}

}
