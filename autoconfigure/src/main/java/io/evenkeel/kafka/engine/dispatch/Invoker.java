package io.evenkeel.kafka.engine.dispatch;

/**
 * Makes the handler calls.
 *
 * @param <R> the type of the record
 */
@FunctionalInterface
public interface Invoker<R> {

	/**
	 * Begin a call. It may be closed before this method returns, or later and from
	 * another thread. What is thrown here is a bug of the invoker; the worker survives it
	 * and calls again later.
	 * @param call the call, open
	 */
	void invoke(Call<R> call);

}
