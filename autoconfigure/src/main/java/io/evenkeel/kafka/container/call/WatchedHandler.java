package io.evenkeel.kafka.container.call;

import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

import org.jspecify.annotations.Nullable;
import reactor.core.publisher.Mono;
import org.springframework.beans.DirectFieldAccessor;
import org.springframework.core.KotlinDetector;
import org.springframework.expression.Expression;
import org.springframework.kafka.listener.adapter.AdapterUtils;
import org.springframework.kafka.listener.adapter.DelegatingInvocableHandler;
import org.springframework.kafka.listener.adapter.HandlerAdapter;
import org.springframework.kafka.listener.adapter.InvocationResult;
import org.springframework.kafka.listener.adapter.MessagingMessageListenerAdapter;
import org.springframework.messaging.Message;
import org.springframework.messaging.handler.invocation.InvocableHandlerMethod;

/**
 * Calls the method of a listener and tells its call when the result is a future, whatever
 * the method has declared. Adapters wait for what is a {@link CompletableFuture} or a
 * {@code Mono}; other stages are made one.
 */
final class WatchedHandler extends HandlerAdapter {

	private static final String MONO = "reactor.core.publisher.Mono";

	private static final String FIELD = "handlerMethod";

	private final HandlerAdapter delegate;

	private final CallObservationRegistry calls;

	private final MessagingMessageListenerAdapter<?, ?> adapter;

	private final ClassValue<Boolean> monos = new ClassValue<>() {

		@Override
		protected Boolean computeValue(Class<?> type) {
			Class<?> current = type;
			while (current != null && !current.getName().equals(MONO)) {
				current = current.getSuperclass();
			}
			return current != null;
		}

	};

	private WatchedHandler(InvocableHandlerMethod method, HandlerAdapter delegate,
			MessagingMessageListenerAdapter<?, ?> adapter, CallObservationRegistry calls) {
		super(method);
		this.delegate = delegate;
		this.calls = calls;
		this.adapter = adapter;
	}

	private WatchedHandler(DelegatingInvocableHandler methods, HandlerAdapter delegate,
			MessagingMessageListenerAdapter<?, ?> adapter, CallObservationRegistry calls) {
		super(methods);
		this.delegate = delegate;
		this.calls = calls;
		this.adapter = adapter;
	}

	/**
	 * Watch the results of an adapter's method.
	 * @param adapter has been given its method
	 * @param calls knows the current call
	 */
	static void install(MessagingMessageListenerAdapter<?, ?> adapter, CallObservationRegistry calls) {
		HandlerAdapter known = handler(adapter);
		if (known == null) {
			return;
		}
		DirectFieldAccessor fields = new DirectFieldAccessor(known);
		if (fields.getPropertyValue("delegatingHandler") instanceof DelegatingInvocableHandler methods) {
			adapter.setHandlerMethod(new WatchedHandler(methods, known, adapter, calls));
		}
		else if (fields.getPropertyValue("invokerHandlerMethod") instanceof InvocableHandlerMethod method) {
			adapter.setHandlerMethod(new WatchedHandler(method, known, adapter, calls));
		}
	}

	private static @Nullable HandlerAdapter handler(MessagingMessageListenerAdapter<?, ?> adapter) {
		Object known = new DirectFieldAccessor(adapter).getPropertyValue(FIELD);
		// A container that starts again has its adapter watched already.
		return (known instanceof WatchedHandler watched) ? watched.delegate : (HandlerAdapter) known;
	}

	/**
	 * Whether a method of an adapter may return a future.
	 * @param adapter has been given its method
	 * @return false when it has declared something else
	 */
	static boolean mayReturnFuture(MessagingMessageListenerAdapter<?, ?> adapter) {
		HandlerAdapter known = handler(adapter);
		if (known == null) {
			return false;
		}
		DirectFieldAccessor fields = new DirectFieldAccessor(known);
		Object methods = fields.getPropertyValue("delegatingHandler");
		if (methods == null) {
			return mayBeFuture(fields.getPropertyValue("invokerHandlerMethod"));
		}
		return new DirectFieldAccessor(methods).getPropertyValue("handlers") instanceof List<?> all
				&& all.stream().anyMatch(WatchedHandler::mayBeFuture);
	}

	/**
	 * Whether some methods of an adapter's class return futures and others do not.
	 * @param adapter has been given its method
	 * @return false when it is one method, or all are alike
	 */
	static boolean isMixed(MessagingMessageListenerAdapter<?, ?> adapter) {
		HandlerAdapter known = handler(adapter);
		if (known == null
				|| !(new DirectFieldAccessor(known)
					.getPropertyValue("delegatingHandler") instanceof DelegatingInvocableHandler methods)
				|| !(new DirectFieldAccessor(methods).getPropertyValue("handlers") instanceof List<?> all)) {
			return false;
		}
		return !all.stream().allMatch(WatchedHandler::isAsync);
	}

	private static boolean isAsync(@Nullable Object handler) {
		return handler instanceof InvocableHandlerMethod known
				&& (AdapterUtils.isAsyncReply(known.getMethod().getReturnType())
						|| KotlinDetector.isSuspendingFunction(known.getMethod()));
	}

	private static boolean mayBeFuture(@Nullable Object handler) {
		if (!(handler instanceof InvocableHandlerMethod method)) {
			return false;
		}
		Class<?> declared = method.getMethod().getReturnType();
		return declared.isAssignableFrom(CompletableFuture.class) || CompletionStage.class.isAssignableFrom(declared)
				|| declared.getName().equals(MONO) || declared.getName().equals("org.reactivestreams.Publisher");
	}

	@Override
	public boolean isAsyncReplies() {
		return this.delegate.isAsyncReplies();
	}

	@Override
	public @Nullable Object invoke(Message<?> message, @Nullable Object... providedArgs) throws Exception {
		Object result = this.delegate.invoke(message, providedArgs);
		if (result instanceof InvocationResult known) {
			Object inner = known.result();
			Object watched = watched(inner);
			return (watched != inner) ? new InvocationResult(watched, known.sendTo(), known.messageReturnType())
					: known;
		}
		return watched(result);
	}

	private @Nullable Object watched(@Nullable Object result) {
		boolean future = result instanceof CompletionStage<?>;
		if (result == null || (!future && !this.monos.get(result.getClass()))) {
			return result;
		}
		CallObservation call = this.calls.call();
		if (call != null) {
			call.endsLater();
		}
		return (result instanceof CompletionStage<?> stage && !(result instanceof CompletableFuture<?>)) ? future(stage)
				: result;
	}

	private static <T> CompletableFuture<T> future(CompletionStage<T> stage) {
		CompletableFuture<T> future = new CompletableFuture<>();
		stage.whenComplete((value, failure) -> {
			if (failure != null) {
				future.completeExceptionally(failure);
			}
			else {
				future.complete(value);
			}
		});
		return future;
	}

	@Override
	public String getMethodAsString(Object payload) {
		return this.delegate.getMethodAsString(payload);
	}

	@Override
	public Object getBean() {
		return this.delegate.getBean();
	}

	/**
	 * Asked for what an error handler has returned: a future of its is part of the call
	 * as one of the method's would be.
	 */
	@Override
	public @Nullable InvocationResult getInvocationResultFor(Object result, @Nullable Object inboundPayload) {
		InvocationResult known = this.delegate.getInvocationResultFor(result, inboundPayload);
		CallObservation call = this.calls.call();
		CompletionStage<?> stage = (call != null) ? stage(result) : null;
		if (call == null || stage == null) {
			return known;
		}
		Object awaited = awaited(stage, call);
		if (known != null) {
			return new InvocationResult(awaited, known.sendTo(), known.messageReturnType());
		}
		DirectFieldAccessor fields = new DirectFieldAccessor(this.adapter);
		return new InvocationResult(awaited, (Expression) fields.getPropertyValue("replyTopicExpression"),
				Boolean.TRUE.equals(fields.getPropertyValue("messageReturnType")));
	}

	private @Nullable CompletionStage<?> stage(Object result) {
		if (result instanceof CompletionStage<?> stage) {
			return stage;
		}
		return this.monos.get(result.getClass()) ? Monos.future(result) : null;
	}

	/**
	 * The adapter is done with the result before the end is told. An error handler whose
	 * future fails has failed, as one that throws has.
	 */
	private static <T> CompletableFuture<T> awaited(CompletionStage<T> stage, CallObservation call) {
		CompletableFuture<T> told = new CompletableFuture<>();
		Runnable end = call.endsAlso();
		stage.whenComplete((value, failure) -> {
			try {
				if (failure != null) {
					call.unrecovered(failure);
					told.completeExceptionally(failure);
				}
				else {
					call.recovered();
					told.complete(value);
				}
			}
			finally {
				end.run();
			}
		});
		return told;
	}

	/** Loaded only where there is a {@code Mono}. */
	private static final class Monos {

		static CompletableFuture<?> future(Object mono) {
			return ((Mono<?>) mono).toFuture();
		}

	}

}
