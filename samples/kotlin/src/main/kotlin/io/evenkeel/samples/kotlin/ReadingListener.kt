package io.evenkeel.samples.kotlin

import org.springframework.kafka.annotation.KafkaListener
import org.springframework.kafka.support.KafkaHeaders
import org.springframework.messaging.handler.annotation.Header
import org.springframework.messaging.handler.annotation.Payload
import org.springframework.stereotype.Component

/**
 * Stores readings. The function is suspended while the store is busy: no thread waits, and
 * still the readings of one meter are stored one after the other.
 */
@Component
class ReadingListener(private val store: ReadingStore) {

	@KafkaListener(id = "readings", idIsGroup = false, topics = ["readings"])
	suspend fun onReading(@Payload reading: String, @Header(KafkaHeaders.RECEIVED_KEY) meter: String) {
		store.save(meter, reading)
	}

}
