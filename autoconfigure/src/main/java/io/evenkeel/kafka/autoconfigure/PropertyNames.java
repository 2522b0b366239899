package io.evenkeel.kafka.autoconfigure;

import java.beans.PropertyDescriptor;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

import org.springframework.beans.BeanUtils;
import org.springframework.boot.context.properties.source.ConfigurationPropertyName;
import org.springframework.core.ResolvableType;

/**
 * The names of the properties that classes of ours are bound to, read from the classes as
 * Boot's binder reads them: a property is known here as soon as it has a getter there.
 */
final class PropertyNames {

	private static final int NEAREST = 3;

	private final Set<String> names = new TreeSet<>();

	private final Map<String, Set<String>> maps = new LinkedHashMap<>();

	/**
	 * Read a class.
	 * @param prefix the name of what it is bound to
	 * @param type the class
	 * @return this
	 */
	PropertyNames read(String prefix, Class<?> type) {
		for (PropertyDescriptor property : BeanUtils.getPropertyDescriptors(type)) {
			if (property.getReadMethod() == null || property.getName().equals("class")) {
				continue;
			}
			String name = prefix + "." + dashed(property.getName());
			ResolvableType read = ResolvableType.forMethodReturnType(property.getReadMethod());
			Class<?> value = read.resolve(Object.class);
			if (Map.class.isAssignableFrom(value)) {
				PropertyNames below = new PropertyNames().read("", read.asMap().getGeneric(1).resolve(Object.class));
				Set<String> leaves = new TreeSet<>();
				below.names.forEach((leaf) -> leaves.add(leaf.substring(1)));
				this.maps.put(name, leaves);
			}
			else if (isGroup(value)) {
				read(name, value);
			}
			else {
				this.names.add(name);
			}
		}
		return this;
	}

	private static boolean isGroup(Class<?> type) {
		return !type.isEnum() && type.getPackageName().equals(PropertyNames.class.getPackageName());
	}

	private static String dashed(String name) {
		return name.replaceAll("([A-Z])", "-$1").toLowerCase(Locale.ROOT);
	}

	/**
	 * What is bound to one value each.
	 * @return the names, as they are documented
	 */
	Set<String> names() {
		return this.names;
	}

	/**
	 * The properties whose value is a map of groups.
	 * @return what may stand below each key, by property
	 */
	Map<String, Set<String>> maps() {
		return this.maps;
	}

	/**
	 * Whether something is bound to a name.
	 * @param name without the numbers of a list
	 * @param variable whether it is the name of an environment variable, where an
	 * underscore may also stand for a hyphen
	 * @return true also for a group, whose value Boot refuses itself
	 */
	boolean knows(ConfigurationPropertyName name, boolean variable) {
		return this.names.stream().anyMatch((known) -> isSame(known, name, variable));
	}

	private static boolean isSame(String known, ConfigurationPropertyName name, boolean variable) {
		ConfigurationPropertyName other = ConfigurationPropertyName.of(known);
		return name.equals(other) || name.isAncestorOf(other)
				|| (variable && name.equals(ConfigurationPropertyName.of(known.replace('-', '.'))));
	}

	/**
	 * The names that somebody may have meant.
	 * @param name what was written
	 * @return the nearest first
	 */
	List<String> nearest(String name) {
		return nearest(name, this.names);
	}

	/**
	 * The names that somebody may have meant.
	 * @param name what was written
	 * @param names to choose from
	 * @return the nearest first
	 */
	static List<String> nearest(String name, Set<String> names) {
		String uniform = uniform(name);
		return names.stream()
			.sorted(Comparator.<String>comparingInt((known) -> distance(uniform, uniform(known)))
				.thenComparing(Comparator.naturalOrder()))
			.limit(NEAREST)
			.toList();
	}

	private static String uniform(String name) {
		return name.replaceAll("[.-]", "").toLowerCase(Locale.ROOT);
	}

	/** Levenshtein's distance, one row at a time. */
	static int distance(String one, String other) {
		int[] row = new int[other.length() + 1];
		for (int j = 0; j <= other.length(); j++) {
			row[j] = j;
		}
		for (int i = 1; i <= one.length(); i++) {
			int diagonal = row[0];
			row[0] = i;
			for (int j = 1; j <= other.length(); j++) {
				int above = row[j];
				int replace = diagonal + ((one.charAt(i - 1) == other.charAt(j - 1)) ? 0 : 1);
				row[j] = Math.min(replace, Math.min(above, row[j - 1]) + 1);
				diagonal = above;
			}
		}
		return row[other.length()];
	}

}
