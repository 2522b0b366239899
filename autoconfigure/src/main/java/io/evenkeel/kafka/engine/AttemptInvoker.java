package io.evenkeel.kafka.engine;

import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

import io.evenkeel.kafka.engine.dispatch.Call;
import io.evenkeel.kafka.engine.dispatch.Delivery;
import io.evenkeel.kafka.engine.dispatch.Invoker;
import io.evenkeel.kafka.engine.retry.RetryPlanner;
import org.apache.kafka.clients.consumer.ConsumerRecord;

/**
 * Makes the calls of a listener's records: a call of the handler, or the recovery of what
 * has no attempt left. Worker threads; holds no state of its own.
 */
final class AttemptInvoker<K, V> implements Invoker<ConsumerRecord<K, V>> {

	private static final long STOPPED_NANOS = TimeUnit.HOURS.toNanos(1);

	private final RecordHandler<K, V> handler;

	private final RetryPlanner planner;

	private final Acknowledgments<K, V> acknowledgments;

	private final EngineObserver listener;

	private final Consumer<Throwable> stop;

	AttemptInvoker(RecordHandler<K, V> handler, RetryPlanner planner, Acknowledgments<K, V> acknowledgments,
			EngineObserver listener, Consumer<Throwable> stop) {
		this.handler = handler;
		this.planner = planner;
		this.acknowledgments = acknowledgments;
		this.listener = listener;
		this.stop = stop;
	}

	@Override
	public void invoke(Call<ConsumerRecord<K, V>> call) {
		if (isDone(call)) {
			// Acknowledged from outside while it waited for another call.
			call.close();
			return;
		}
		if (call.delivery().failure() != null) {
			recover(call);
			return;
		}
		for (int i = 0; i < call.size(); i++) {
			Delivery<ConsumerRecord<K, V>> delivery = call.delivery(i);
			if (delivery.beginAttempt() == 1) {
				this.listener.firstCall(delivery.record().topic(), call.beganNanos() - delivery.arrivedNanos());
			}
			else {
				this.listener.retried(delivery.record().topic());
			}
		}
		Attempt<K, V> attempt = new Attempt<>(call, this.planner, this.acknowledgments, this.handler);
		try {
			this.handler.handle(attempt);
		}
		catch (Throwable ex) {
			attempt.failed(ex);
			if (ex instanceof VirtualMachineError) {
				throw ex;
			}
		}
	}

	private static boolean isDone(Call<?> call) {
		for (int i = 0; i < call.size(); i++) {
			if (!call.delivery(i).isEnded()) {
				return false;
			}
		}
		return true;
	}

	private void recover(Call<ConsumerRecord<K, V>> call) {
		for (Delivery<ConsumerRecord<K, V>> delivery : call.deliveries()) {
			if (delivery.isEnded()) {
				continue;
			}
			Throwable failure = delivery.failure();
			if (failure == null) {
				// A batch grew behind the failed record: that part gets its call first.
				call.park(0);
				return;
			}
			RecoveryAttempt<K, V> recovery = new RecoveryAttempt<>(call, delivery, failure, this);
			try {
				this.handler.recover(recovery);
			}
			catch (Throwable ex) {
				recovery.failed(ex);
				if (ex instanceof VirtualMachineError) {
					throw ex;
				}
			}
			return;
		}
		call.close();
	}

	/** A recovery failed and is tried again later. */
	void failed(Call<ConsumerRecord<K, V>> call, Delivery<ConsumerRecord<K, V>> delivery, Throwable cause) {
		int failures = delivery.recoveryFailed();
		try {
			this.handler.recoveryFailed(delivery, failures, cause);
		}
		finally {
			call.park(this.planner.recoveryBackOff(failures).toNanos());
		}
	}

	/** The listener is to stop because of a record, which stays unfinished. */
	void stopped(Call<ConsumerRecord<K, V>> call, Throwable failure) {
		call.park(STOPPED_NANOS);
		this.stop.accept(failure);
	}

}
