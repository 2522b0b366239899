package io.evenkeel.samples.kotlin

import org.apache.kafka.clients.admin.NewTopic
import org.springframework.boot.autoconfigure.SpringBootApplication
import org.springframework.boot.runApplication
import org.springframework.context.annotation.Bean
import org.springframework.kafka.config.TopicBuilder

/**
 * Takes in what electricity meters report.
 */
@SpringBootApplication(proxyBeanMethods = false)
class MetersApplication {

	@Bean
	fun readings(): NewTopic = TopicBuilder.name("readings").partitions(1).replicas(1).build()

}

fun main(args: Array<String>) {
	runApplication<MetersApplication>(*args)
}
