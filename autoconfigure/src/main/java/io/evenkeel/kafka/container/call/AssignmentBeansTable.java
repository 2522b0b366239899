package io.evenkeel.kafka.container.call;

import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

import io.evenkeel.kafka.engine.dispatch.Assignment;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;
import org.springframework.context.ApplicationContext;

/**
 * The beans of scope {@code assignment} of one listener, by its live assignments.
 *
 * <h2>Threading</h2> Guarded by its map. Workers begin calls, the owner tells what is
 * gone.
 */
public final class AssignmentBeansTable {

	private final String id;

	private final AssignmentBeanScope scope;

	private final Map<TopicPartition, Entry> entries = new HashMap<>();

	private AssignmentBeansTable(String id, AssignmentBeanScope scope) {
		this.id = id;
		this.scope = scope;
	}

	/** Null when the application has no bean of the scope: nothing is to be kept then. */
	public static @Nullable AssignmentBeansTable create(String id, @Nullable ApplicationContext context) {
		AssignmentBeanScope scope = (context != null) ? context.getBeanProvider(AssignmentBeanScope.class).getIfUnique()
				: null;
		return (scope != null && scope.isUsed()) ? new AssignmentBeansTable(id, scope) : null;
	}

	public AssignmentBeanScope scope() {
		return this.scope;
	}

	/**
	 * A call begins; to be ended with {@link AssignmentBeans#end}.
	 * @return the beans of the assignment
	 */
	AssignmentBeans begin(Assignment<?> assignment) {
		TopicPartition partition = new TopicPartition(assignment.topic(), assignment.partition());
		AssignmentBeans before = null;
		AssignmentBeans begun;
		synchronized (this.entries) {
			Entry entry = this.entries.get(partition);
			if (entry == null || entry.epoch < assignment.epoch()) {
				before = (entry != null) ? entry.beans : null;
				entry = new Entry(assignment.epoch(), new AssignmentBeans(this.id + " " + assignment));
				this.entries.put(partition, entry);
			}
			begun = ((entry.epoch == assignment.epoch()) ? entry.beans : gone(assignment)).begin();
		}
		if (before != null) {
			// A seek has begun a new assignment of the same partition.
			before.close();
		}
		return begun;
	}

	/** A call of an assignment that went while its worker came: beans of its own. */
	private AssignmentBeans gone(Assignment<?> assignment) {
		AssignmentBeans beans = new AssignmentBeans(this.id + " " + assignment);
		beans.close();
		return beans;
	}

	public void gone(Collection<TopicPartition> partitions) {
		List<AssignmentBeans> gone = new ArrayList<>();
		synchronized (this.entries) {
			for (TopicPartition partition : partitions) {
				Entry entry = this.entries.remove(partition);
				if (entry != null) {
					gone.add(entry.beans);
				}
			}
		}
		gone.forEach(AssignmentBeans::close);
	}

	public void allGone() {
		Collection<TopicPartition> all;
		synchronized (this.entries) {
			all = List.copyOf(this.entries.keySet());
		}
		gone(all);
	}

	private record Entry(long epoch, AssignmentBeans beans) {
	}

}
