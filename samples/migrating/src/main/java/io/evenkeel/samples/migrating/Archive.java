package io.evenkeel.samples.migrating;

import org.springframework.stereotype.Service;

/**
 * Where invoices are kept. Tests put another one in its place.
 */
@Service
class Archive {

	void store(String invoice) {
	}

}
