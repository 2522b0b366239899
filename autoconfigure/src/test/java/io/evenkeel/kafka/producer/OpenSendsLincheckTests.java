package io.evenkeel.kafka.producer;

import org.jetbrains.lincheck.datastructures.ModelCheckingOptions;
import org.jetbrains.lincheck.datastructures.Operation;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Sends that begin and end while others flush, in every interleaving that Lincheck finds:
 * a flush sees a send that had begun before it, and none when all have ended.
 */
@Tag("lincheck")
public class OpenSendsLincheckTests {

	private final OpenSends sends = new OpenSends(() -> 0);

	@Operation
	public boolean beginsUnseen() {
		OpenSends.Round round = this.sends.begin();
		boolean unseen = this.sends.earlier().isEmpty();
		this.sends.end(round);
		return unseen;
	}

	@Operation
	public void beginAndEnd() {
		this.sends.end(this.sends.begin());
	}

	@Operation
	public boolean nothingIsLeftOver() {
		OpenSends.Round round = this.sends.begin();
		OpenSends.Earlier earlier = this.sends.earlier();
		this.sends.end(round);
		return earlier.isEmpty();
	}

	@Test
	void modelChecking() {
		new ModelCheckingOptions().iterations(10)
			.invocationsPerIteration(300)
			.threads(3)
			.actorsPerThread(2)
			.check(getClass());
	}

}
