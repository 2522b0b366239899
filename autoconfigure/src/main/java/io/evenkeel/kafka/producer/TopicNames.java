package io.evenkeel.kafka.producer;

/**
 * The rule for names of topics, known without asking a broker.
 */
final class TopicNames {

	private static final int MAX_LENGTH = 249;

	private TopicNames() {
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
