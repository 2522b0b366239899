package io.evenkeel.kafka;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;

/**
 * Classes that know each other, directly or through others: the strongly connected
 * components of more than one class, found by Tarjan's algorithm. Nested classes count as
 * the one that they are in.
 */
final class ClassCircles {

	private final String root;

	private final Map<String, Set<String>> graph = new TreeMap<>();

	private final Map<String, Integer> number = new HashMap<>();

	private final Map<String, Integer> low = new HashMap<>();

	private final Deque<String> path = new ArrayDeque<>();

	private final List<Set<String>> found = new ArrayList<>();

	ClassCircles(JavaClasses classes, String root) {
		this.root = root;
		classes.forEach(this::read);
	}

	/** The circles, each as names below the root. */
	List<Set<String>> find() {
		for (String type : this.graph.keySet()) {
			if (!this.number.containsKey(type)) {
				visit(type);
			}
		}
		return this.found;
	}

	private void read(JavaClass type) {
		Set<String> known = this.graph.computeIfAbsent(name(type), (name) -> new TreeSet<>());
		type.getDirectDependenciesFromSelf()
			.stream()
			.map((dependency) -> dependency.getTargetClass().getBaseComponentType())
			.filter((target) -> target.getPackageName().startsWith(this.root))
			.map(this::name)
			.forEach(known::add);
	}

	private String name(JavaClass type) {
		return type.getName().substring(this.root.length() + 1).split("\\$")[0];
	}

	private void visit(String type) {
		this.number.put(type, this.number.size());
		this.low.put(type, this.number.get(type));
		this.path.push(type);
		for (String next : this.graph.getOrDefault(type, Set.of())) {
			if (!this.number.containsKey(next)) {
				visit(next);
				this.low.merge(type, this.low.get(next), Math::min);
			}
			else if (this.path.contains(next)) {
				this.low.merge(type, this.number.get(next), Math::min);
			}
		}
		if (this.low.get(type).equals(this.number.get(type))) {
			Set<String> circle = new TreeSet<>();
			String member;
			do {
				member = this.path.pop();
				circle.add(member);
			}
			while (!member.equals(type));
			if (circle.size() > 1) {
				this.found.add(circle);
			}
		}
	}

}
