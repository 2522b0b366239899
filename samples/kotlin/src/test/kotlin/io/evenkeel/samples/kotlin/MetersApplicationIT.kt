package io.evenkeel.samples.kotlin

import io.evenkeel.kafka.container.EvenkeelContainer
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.delay
import org.apache.kafka.clients.admin.AdminClient
import org.apache.kafka.common.TopicPartition
import org.assertj.core.api.Assertions.assertThat
import org.awaitility.Awaitility.await
import org.junit.jupiter.api.Test
import org.springframework.beans.factory.annotation.Autowired
import org.springframework.boot.test.context.SpringBootTest
import org.springframework.boot.test.context.TestConfiguration
import org.springframework.context.annotation.Bean
import org.springframework.context.annotation.Primary
import org.springframework.kafka.config.KafkaListenerEndpointRegistry
import org.springframework.kafka.core.KafkaTemplate
import org.springframework.kafka.test.EmbeddedKafkaBroker
import org.springframework.kafka.test.context.EmbeddedKafka
import org.springframework.kafka.test.utils.KafkaTestUtils
import org.springframework.test.annotation.DirtiesContext
import java.time.Duration
import java.util.concurrent.CopyOnWriteArrayList

/**
 * Suspend functions as listeners: what holds for any asynchronous listener holds for them.
 */
@SpringBootTest
@EmbeddedKafka(topics = ["readings-dlt"], partitions = 1, brokerProperties = ["offsets.topic.num.partitions=1"])
@DirtiesContext
class MetersApplicationIT {

	@Autowired
	private lateinit var template: KafkaTemplate<String, String>

	@Autowired
	private lateinit var store: GatedStore

	@Autowired
	private lateinit var broker: EmbeddedKafkaBroker

	@Autowired
	private lateinit var registry: KafkaListenerEndpointRegistry

	@Test
	fun orderHoldsWhileAFunctionIsSuspendedAndFailuresAreRetriedAndDeadLettered() {
		send("m-1", "held")
		send("m-1", "after held")
		send("m-2", "other meter")
		send("m-3", "broken")
		send("m-3", "after broken")

		await().atMost(PATIENCE).untilAsserted {
			assertThat(store.calls).contains("begin held", "end other meter", "end after broken")
		}
		// Its meter waits with the suspended function, all others went on.
		assertThat(store.calls).doesNotContain("begin after held", "end held")
		assertThat(store.calls.filter { it == "begin broken" }).hasSize(3)
		assertThat(store.calls.indexOf("begin after broken")).isGreaterThan(store.calls.lastIndexOf("begin broken"))
		// What is suspended is not done.
		assertThat(committed()).isLessThanOrEqualTo(0)
		// It holds its slot, but no thread.
		assertThat((registry.getListenerContainer("readings") as EvenkeelContainer<*, *>).snapshot().used()).isEqualTo(1)

		store.gate.complete(Unit)

		await().atMost(PATIENCE).untilAsserted { assertThat(store.calls).contains("end after held") }
		assertThat(store.calls.indexOf("begin after held")).isGreaterThan(store.calls.indexOf("end held"))
		await().atMost(PATIENCE).untilAsserted { assertThat(committed()).isEqualTo(5) }
		val properties = KafkaTestUtils.consumerProps(broker, "dead-letters", true)
		properties["key.deserializer"] = "org.apache.kafka.common.serialization.StringDeserializer"
		org.apache.kafka.clients.consumer.KafkaConsumer<String, String>(properties).use { consumer ->
			broker.consumeFromAnEmbeddedTopic(consumer, "readings-dlt")
			val dead = KafkaTestUtils.getRecords(consumer, PATIENCE, 1).toList()
			assertThat(dead.map { it.value() }).containsExactly("broken")
		}
	}

	private fun send(meter: String, reading: String) {
		template.send("readings", meter, reading).join()
	}

	private fun committed(): Long =
		AdminClient.create(mapOf<String, Any>("bootstrap.servers" to broker.brokersAsString)).use { admin ->
			val offsets = admin.listConsumerGroupOffsets("meters").partitionsToOffsetAndMetadata().get()
			offsets[TopicPartition("readings", 0)]?.offset() ?: -1
		}

	/**
	 * Keeps one reading until it is told.
	 */
	class GatedStore : ReadingStore {

		val gate = CompletableDeferred<Unit>()

		val calls = CopyOnWriteArrayList<String>()

		override suspend fun save(meter: String, reading: String) {
			calls.add("begin $reading")
			when (reading) {
				"held" -> gate.await()
				"broken" -> {
					delay(5)
					throw IllegalStateException("broken")
				}
				else -> delay(5)
			}
			calls.add("end $reading")
		}

	}

	@TestConfiguration(proxyBeanMethods = false)
	open class Stores {

		@Bean
		@Primary
		fun gatedStore() = GatedStore()

	}

	private companion object {

		val PATIENCE: Duration = Duration.ofSeconds(30)

	}

}
