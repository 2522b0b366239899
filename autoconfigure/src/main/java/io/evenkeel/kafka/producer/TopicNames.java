package io.evenkeel.kafka.producer;

/**
 * The rule for names of topics, known without asking a broker.
 */
final class TopicNames {

	private static final int MAX_LENGTH = 249;

	private TopicNames() {
	}

	/**
	 * A name as it may stand in a log or a message: in one line, and not too long.
	 */
	static String printable(String name) {
		if (isValid(name)) {
			return name;
		}
		StringBuilder text = new StringBuilder();
		name.codePoints().limit(MAX_LENGTH).forEach((c) -> {
			boolean plain = c == ' ' || Character.isLetterOrDigit(c) || (c < 0x7f && c > ' ' && c != '\\');
			if (plain) {
				text.appendCodePoint(c);
			}
			else {
				text.append((c > 0xffff) ? String.format("\\u{%x}", c) : String.format("\\u%04x", c));
			}
		});
		return (name.codePointCount(0, name.length()) > MAX_LENGTH) ? text + "..." : text.toString();
	}

	static boolean isValid(String name) {
		if (name.isEmpty() || name.length() > MAX_LENGTH || name.equals(".") || name.equals("..")) {
			return false;
		}
		for (int i = 0; i < name.length(); i++) {
			char c = name.charAt(i);
			boolean allowed = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.'
					|| c == '_' || c == '-';
			if (!allowed) {
				return false;
			}
		}
		return true;
	}

}
