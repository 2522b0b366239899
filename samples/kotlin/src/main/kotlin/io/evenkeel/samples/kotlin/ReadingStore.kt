package io.evenkeel.samples.kotlin

import kotlinx.coroutines.delay
import org.springframework.stereotype.Component
import java.util.concurrent.ConcurrentHashMap

/**
 * Where readings end.
 */
interface ReadingStore {

	suspend fun save(meter: String, reading: String)

}

/**
 * Knows the last reading of each meter.
 */
@Component
class SlowReadingStore : ReadingStore {

	private val last = ConcurrentHashMap<String, String>()

	override suspend fun save(meter: String, reading: String) {
		delay(20)
		last[meter] = reading
	}

}
