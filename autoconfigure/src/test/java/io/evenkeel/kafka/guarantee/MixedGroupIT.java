package io.evenkeel.kafka.guarantee;

import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicLong;

import io.evenkeel.kafka.broker.EmbeddedBroker;
import io.evenkeel.kafka.container.EvenkeelContainer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

/**
 * A rolling deploy that swaps the container, and one that swaps it back: members with
 * spring-kafka's container and with ours are in one group while records flow. Nothing is
 * lost, and the records of a key are handled for the first time in their order.
 */
class MixedGroupIT {

	private static final int PARTITIONS = 4;

	@ParameterizedTest
	@EnumSource
	void membersOfBothKindsReplaceEachOther(GroupProtocol protocol) {
		String topic = EmbeddedBroker.topic("mixed", PARTITIONS);
		FirstCalls calls = new FirstCalls();
		Member.Builder builder = Member.of(protocol, topic).handler(calls);
		try (Member old = theirs(builder).awaitAssigned(PARTITIONS)) {
			Load load = Load.start(topic, 300, 40);
			try (load; Member swapped = ours(builder).awaitAnyAssigned()) {
				calls.awaitMoreBy(old, swapped);
				old.close();
				swapped.awaitAssigned(PARTITIONS);
				calls.awaitMoreBy(swapped);
				try (Member back = theirs(builder).awaitAnyAssigned()) {
					calls.awaitMoreBy(swapped, back);
					swapped.close();
					back.awaitAssigned(PARTITIONS);
					calls.awaitMoreBy(back);
					load.close();
					await().atMost(Duration.ofSeconds(30)).until(() -> calls.lost(load.sent()).isEmpty());
				}
			}
		}
		assertThat(calls.outOfOrder).as("first calls for records of a key, out of order").isEmpty();
	}

	private static Member theirs(Member.Builder builder) {
		Member member = builder.with("evenkeel.kafka.consumer.enabled=false").start();
		assertThat(member.container()).isNotInstanceOf(EvenkeelContainer.class);
		return member;
	}

	private static Member ours(Member.Builder builder) {
		Member member = builder.with("evenkeel.kafka.consumer.enabled=true").start();
		assertThat(member.container()).isInstanceOf(EvenkeelContainer.class);
		return member;
	}

	/** Which records were handled at all, and in which order for the first time. */
	private static final class FirstCalls implements Member.Handler {

		private final Set<String> handled = ConcurrentHashMap.newKeySet();

		private final Map<Object, Long> last = new ConcurrentHashMap<>();

		private final Map<String, AtomicLong> byMember = new ConcurrentHashMap<>();

		private final Queue<String> outOfOrder = new ConcurrentLinkedQueue<>();

		@Override
		public void handle(String member, ConsumerRecord<Object, Object> record) {
			TopicPartition partition = new TopicPartition(record.topic(), record.partition());
			String id = Load.id(partition, record.offset());
			if (this.handled.add(id)) {
				this.last.compute(List.of(partition, record.key()), (key, before) -> {
					if (before != null && before > record.offset()) {
						this.outOfOrder.add(id + " after " + before);
					}
					return record.offset();
				});
			}
			count(member).incrementAndGet();
		}

		private AtomicLong count(String member) {
			return this.byMember.computeIfAbsent(member, (name) -> new AtomicLong());
		}

		void awaitMoreBy(Member... members) {
			for (Member member : members) {
				long now = count(member.name()).get();
				await().atMost(Duration.ofSeconds(30)).until(() -> count(member.name()).get() > now + 10);
			}
		}

		Set<String> lost(Set<String> sent) {
			Set<String> lost = new HashSet<>(sent);
			lost.removeAll(this.handled);
			return lost;
		}

	}

}
