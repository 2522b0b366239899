package io.evenkeel.kafka.engine;

import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

import io.evenkeel.kafka.engine.RecordHandler.Recovery;
import io.evenkeel.kafka.engine.dispatch.Call;
import io.evenkeel.kafka.engine.dispatch.Delivery;
import io.evenkeel.kafka.engine.dispatch.Invoker;
import io.evenkeel.kafka.engine.dispatch.Outcome;
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

	private final EngineListener listener;

	private final Consumer<Throwable> stop;

	AttemptInvoker(RecordHandler<K, V> handler, RetryPlanner planner, Acknowledgments<K, V> acknowledgments,
			EngineListener listener, Consumer<Throwable> stop) {
		this.handler = handler;
		this.planner = planner;
		this.acknowledgments = acknowledgments;
		this.listener = listener;
		this.stop = stop;
	}

	@Override
	public void invoke(Call<ConsumerRecord<K, V>> call) {
		Throwable failure = call.delivery().failure();
		if (failure != null) {
			recover(call, failure);
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
		Attempt<K, V> attempt = new Attempt<>(call, this.planner, this.acknowledgments);
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

	private void recover(Call<ConsumerRecord<K, V>> call, Throwable failure) {
		for (Delivery<ConsumerRecord<K, V>> delivery : call.deliveries()) {
			if (delivery.isEnded()) {
				continue;
			}
			if (delivery.failure() == null) {
				// A batch grew behind the failed record: that part gets its call first.
				call.park(0);
				return;
			}
			Recovery recovery;
			try {
				recovery = this.handler.recover(delivery, failure);
			}
			catch (Throwable ex) {
				int failures = delivery.recoveryFailed();
				call.park(this.planner.recoveryBackOff(failures).toNanos());
				this.handler.recoveryFailed(delivery, failures, ex);
				return;
			}
			switch (recovery) {
				case SUCCEEDED -> call.end(delivery, Outcome.SUCCESS);
				case SKIPPED -> call.end(delivery, Outcome.SKIPPED);
				case DEAD_LETTERED -> call.end(delivery, Outcome.DEAD_LETTERED);
				case STOP -> {
					call.park(STOPPED_NANOS);
					this.stop.accept(failure);
					return;
				}
			}
		}
		call.close();
	}

}
