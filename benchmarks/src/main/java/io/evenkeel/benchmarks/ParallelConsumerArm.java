package io.evenkeel.benchmarks;

import java.util.List;
import java.util.Map;
import java.util.UUID;

import io.confluent.parallelconsumer.ParallelConsumerOptions;
import io.confluent.parallelconsumer.ParallelConsumerOptions.ProcessingOrder;
import io.confluent.parallelconsumer.ParallelStreamProcessor;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.serialization.StringDeserializer;

/**
 * Confluent's parallel consumer, as its documentation shows it.
 *
 * @param servers the broker
 * @param order its ordering
 */
record ParallelConsumerArm(String servers, ProcessingOrder order) implements Arm {

	@Override
	public String name() {
		return "parallel-consumer " + this.order.name().toLowerCase(java.util.Locale.ROOT);
	}

	@Override
	public void consume(Workload workload, Work work) throws Exception {
		KafkaConsumer<String, String> consumer = new KafkaConsumer<>(
				Map.of("bootstrap.servers", this.servers, "group.id", UUID.randomUUID().toString(), "auto.offset.reset",
						"earliest", "enable.auto.commit", "false"),
				new StringDeserializer(), new StringDeserializer());
		ParallelStreamProcessor<String, String> processor = ParallelStreamProcessor
			.createEosStreamProcessor(ParallelConsumerOptions.<String, String>builder()
				.consumer(consumer)
				.ordering(this.order)
				.maxConcurrency(workload.concurrency())
				.build());
		try {
			processor.subscribe(List.of(workload.topic()));
			processor.poll((context) -> work.handle());
			work.await();
		}
		finally {
			processor.close();
		}
	}

}
