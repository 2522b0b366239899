package io.evenkeel.kafka.container.setup;

import java.lang.reflect.AnnotatedElement;
import java.lang.reflect.Method;
import java.util.List;
import java.util.Map;

import io.evenkeel.kafka.container.listener.ListenerContext;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.jspecify.annotations.Nullable;
import org.springframework.aop.support.AopUtils;
import org.springframework.context.ApplicationContext;
import org.springframework.core.annotation.MergedAnnotation;
import org.springframework.core.annotation.MergedAnnotations;
import org.springframework.core.annotation.MergedAnnotations.SearchStrategy;
import org.springframework.core.annotation.RepeatableContainers;
import org.springframework.kafka.annotation.KafkaListener;
import org.springframework.kafka.annotation.KafkaListeners;
import org.springframework.kafka.config.KafkaListenerEndpoint;
import org.springframework.kafka.config.MethodKafkaListenerEndpoint;
import org.springframework.util.StringUtils;

/**
 * Where the group of a listener comes from. An id is the group too unless something else
 * is written, which is easily overlooked.
 */
public final class GroupOrigin {

	private static final String PROPERTY = "spring.kafka.consumer.group-id";

	/** Nothing is known: the container was made without an endpoint. */
	public static final GroupOrigin UNKNOWN = new GroupOrigin(null, "its endpoint", false, false);

	private final @Nullable String ofEndpoint;

	private final String place;

	private final boolean id;

	/** The containers of retry topics follow that of the listener. */
	private final boolean main;

	private GroupOrigin(@Nullable String ofEndpoint, String place, boolean id, boolean main) {
		this.ofEndpoint = ofEndpoint;
		this.place = place;
		this.id = id;
		this.main = main;
	}

	public static GroupOrigin of(KafkaListenerEndpoint endpoint) {
		String group = endpoint.getGroupId();
		if (!StringUtils.hasText(group)) {
			return UNKNOWN;
		}
		String listener = endpoint.getMainListenerId();
		boolean main = listener == null || listener.equals(endpoint.getId());
		MergedAnnotation<KafkaListener> annotation = annotation(endpoint, (listener != null) ? listener : group);
		if (annotation == null) {
			return new GroupOrigin(group, "the endpoint that code has registered", false, main);
		}
		if (StringUtils.hasText(annotation.getString("groupId"))) {
			return new GroupOrigin(group, "@KafkaListener(groupId)", false, main);
		}
		return new GroupOrigin(group, "@KafkaListener(id)", true, main);
	}

	/** The one with this id; of several whose ids are expressions, the first. */
	private static @Nullable MergedAnnotation<KafkaListener> annotation(KafkaListenerEndpoint endpoint, String id) {
		if (!(endpoint instanceof MethodKafkaListenerEndpoint<?, ?> annotated)) {
			return null;
		}
		Class<?> type = AopUtils.getTargetClass(annotated.getBean());
		Method method = annotated.getMethod();
		AnnotatedElement element = (method != null) ? AopUtils.getMostSpecificMethod(method, type) : type;
		List<MergedAnnotation<KafkaListener>> found = MergedAnnotations
			.from(element, SearchStrategy.TYPE_HIERARCHY,
					RepeatableContainers.explicitRepeatable(KafkaListener.class, KafkaListeners.class))
			.stream(KafkaListener.class)
			.toList();
		return found.stream()
			.filter((annotation) -> annotation.getString("id").equals(id))
			.findFirst()
			.orElse(found.isEmpty() ? null : found.get(0));
	}

	/**
	 * Name it.
	 * @param context the listener's
	 * @param config what its consumer is made with
	 * @return the place where the group is written
	 */
	String place(ListenerContext context, Map<String, Object> config) {
		String group = context.properties().getGroupId();
		if (group != null) {
			return group.equals(this.ofEndpoint) ? this.place : "its container properties";
		}
		return String.valueOf(config.get(ConsumerConfig.GROUP_ID_CONFIG)).equals(property(context.application()))
				? PROPERTY : "its consumer factory";
	}

	/**
	 * What is said when an id is the group although another one is configured.
	 * @param context the listener's
	 * @param configured the group of its consumer factory
	 * @return null when nothing is to be said
	 */
	@Nullable String warning(ListenerContext context, @Nullable Object configured) {
		String group = context.properties().getGroupId();
		String property = property(context.application());
		Object other = StringUtils.hasText(property) ? property : configured;
		if (!this.id || !this.main || group == null || !group.equals(this.ofEndpoint) || other == null
				|| other.equals("") || other.equals(group)) {
			return null;
		}
		String where = StringUtils.hasText(property) ? PROPERTY : "its consumer factory";
		return "its id is its group too: it joins the group '" + group + "', not '" + other + "' of " + where
				+ ". Write @KafkaListener(groupId = \"" + other + "\") or idIsGroup = false to join that one, or "
				+ "groupId = \"" + group + "\" to say that this is meant";
	}

	private static @Nullable String property(@Nullable ApplicationContext context) {
		try {
			return (context != null) ? context.getEnvironment().getProperty(PROPERTY) : null;
		}
		catch (IllegalArgumentException ex) {
			// A placeholder that nothing resolves: Boot takes the text as it is.
			return null;
		}
	}

}
