package io.evenkeel.kafka.broker;

import java.nio.file.Files;
import java.nio.file.Path;

/**
 * The main class of a broker in a process of its own: formats its storage on the first
 * start, then runs Kafka.
 */
public final class ProcessBrokerMain {

	private ProcessBrokerMain() {
	}

	public static void main(String[] args) {
		Path config = Path.of(args[0]);
		Path data = Path.of(args[1]);
		if (!Files.exists(data.resolve("meta.properties"))) {
			int status = kafka.tools.StorageTool.execute(
					new String[] { "format", "--ignore-formatted", "-t", args[2], "-c", config.toString() },
					System.out);
			if (status != 0) {
				System.exit(status);
			}
		}
		kafka.Kafka.main(new String[] { config.toString() });
	}

}
