package io.evenkeel.kafka.broker;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * A key store and a trust store for a broker on this machine, made with the JDK's own
 * tool.
 *
 * @param keyStore the broker's key
 * @param trustStore what clients trust
 * @param password the password of both
 */
public record ProcessBrokerKeys(Path keyStore, Path trustStore, String password) {

	public static ProcessBrokerKeys generate() {
		try {
			Path directory = Files.createTempDirectory("keys-");
			Path keyStore = directory.resolve("broker.p12");
			Path trustStore = directory.resolve("trust.p12");
			Path certificate = directory.resolve("broker.crt");
			String password = "changeit";
			keytool("-genkeypair", "-alias", "broker", "-keyalg", "EC", "-validity", "30", "-dname", "CN=localhost",
					"-ext", "SAN=dns:localhost,ip:127.0.0.1", "-storetype", "PKCS12", "-keystore", keyStore.toString(),
					"-storepass", password);
			keytool("-exportcert", "-alias", "broker", "-keystore", keyStore.toString(), "-storepass", password,
					"-file", certificate.toString());
			keytool("-importcert", "-noprompt", "-alias", "broker", "-storetype", "PKCS12", "-keystore",
					trustStore.toString(), "-storepass", password, "-file", certificate.toString());
			return new ProcessBrokerKeys(keyStore, trustStore, password);
		}
		catch (IOException ex) {
			throw new UncheckedIOException(ex);
		}
	}

	private static void keytool(String... arguments) throws IOException {
		String[] command = new String[arguments.length + 1];
		command[0] = Path.of(System.getProperty("java.home"), "bin", "keytool").toString();
		System.arraycopy(arguments, 0, command, 1, arguments.length);
		try {
			Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
			String output = new String(process.getInputStream().readAllBytes());
			if (process.waitFor() != 0) {
				throw new IOException("keytool failed: " + output);
			}
		}
		catch (InterruptedException ex) {
			Thread.currentThread().interrupt();
			throw new IOException(ex);
		}
	}

}
