package io.evenkeel.samples.testing;

import org.springframework.stereotype.Service;

/**
 * Where the money is. Tests put another one in its place.
 */
@Service
class Bank {

	void charge(String customer, String amount) {
	}

}
