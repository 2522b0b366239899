package io.evenkeel.kafka.producer;

import java.lang.ref.WeakReference;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;

import org.apache.kafka.clients.producer.ProducerRecord;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

class InFlightTests {

	private static final long LIMIT = TimeUnit.SECONDS.toNanos(3);

	private static final long GRACE = TimeUnit.MILLISECONDS.toNanos(250);

	private final InFlight inFlight = new InFlight(LIMIT);

	private final SendContext context = new SendContext(() -> 0,
			new Failures(List.of("localhost:1"), ProducerSettings.DEFAULTS, new ClusterEvidence(0)),
			new CompletionThread(ProducerRuntime.SYSTEM.threads(), ProducerRuntime.SYSTEM), new OpenSends(() -> 0),
			SendObserver.NONE, new SendContext.Outcomes() {

				@Override
				public void completed(boolean success, InFlight flight) {
				}

				@Override
				public Diagnosis failed(Exception exception, long startedAt, InFlight flight) {
					return Diagnosis.of(FailureReason.UNKNOWN);
				}

			}, new Interceptors<>(List.of()));

	@Test
	void aSendExpiresAfterTheClientHadItsTime() {
		PendingSend<String, String> send = handedOver(100);
		InFlight.Sweep early = this.inFlight.sweep(100 + LIMIT);
		assertThat(early.expired()).isZero();
		assertThat(early.waitNanos()).isEqualTo(GRACE);
		InFlight.Sweep late = this.inFlight.sweep(100 + LIMIT + GRACE);
		assertThat(late.expired()).isOne();
		assertThat(late.isStuck()).isFalse();
		assertThat(send.isHeldBack()).isFalse();
		assertThat(this.inFlight.sweep(100 + LIMIT + 2 * GRACE).expired()).isZero();
		assertThat(this.inFlight.sweep(100 + LIMIT + Duration.ofSeconds(11).toNanos()).isStuck()).isTrue();
		send.leaveFlight();
		assertThat(this.inFlight.sweep(100 + LIMIT + Duration.ofSeconds(11).toNanos()).isStuck()).isFalse();
	}

	/**
	 * A sweep may hold on to a send that is just leaving. Red when it then finds a time
	 * of zero: a healthy client would be replaced as stuck.
	 */
	@Test
	void aSendThatBeginsToWaitIsAsOldAsItWas() {
		PendingSend<String, String> send = handedOver(100);
		send.prepared(new Prepared<>(send.record()), 2, 0);
		assertThat(send.handedAt()).isEqualTo(100);
		assertThat(this.inFlight.sweep(101).isStuck()).isFalse();
	}

	/**
	 * Red when the mark goes first: whoever gives the client up in between fails a record
	 * as possibly sent that the client has refused.
	 */
	@Test
	void aSendLeavesItsFlightBeforeItsMarkGoes() {
		PendingSend<String, String> send = new PendingSend<>(this.context, new ProducerRecord<>("orders", "v"), null,
				0);
		send.take();
		List<Boolean> marked = new ArrayList<>();
		send.handing();
		send.inFlight(new InFlight.Place() {

			@Override
			InFlight flight() {
				return InFlightTests.this.inFlight;
			}

			@Override
			void leave(int index) {
				marked.add(send.isBeingHanded());
			}

		}, 0, 0);
		send.handed(true);
		assertThat(marked).containsExactly(true);
		assertThat(send.isBeingHanded()).isFalse();
		assertThat(send.isInFlight()).isFalse();
	}

	@Test
	void whatHasLeftDoesNotExpire() {
		List<PendingSend<String, String>> sends = new ArrayList<>();
		for (int i = 0; i < 2000; i++) {
			sends.add(handedOver(i));
		}
		this.inFlight.sweep(2000);
		PendingSend<String, String> stays = sends.remove(7);
		sends.forEach(PendingSend::leaveFlight);
		assertThat(this.inFlight.sweep(LIMIT + GRACE + 2000).expired()).isOne();
		assertThat(stays.isInFlight()).isTrue();
	}

	/**
	 * Red when what is in flight no more leads to all that came after it: the first chunk
	 * that grows old would make the collector keep every later one.
	 */
	@Test
	void whatHasLeftDoesNotKeepWhatCameLater() {
		List<InFlight.Place> first = new ArrayList<>();
		List<WeakReference<InFlight.Place>> later = new ArrayList<>();
		for (int i = 0; i < 5000; i++) {
			int number = i;
			PendingSend<String, String> send = new PendingSend<>(this.context, new ProducerRecord<>("orders", "v"),
					null, i) {

				@Override
				void inFlight(InFlight.Place place, int index, long now) {
					super.inFlight(place, index, now);
					if (number == 0) {
						first.add(place);
					}
					else if (number % 1000 == 0 && number < 4000) {
						later.add(new WeakReference<>(place));
					}
				}

			};
			send.take();
			this.inFlight.add(send, i);
			send.leaveFlight();
		}
		assertThat(later).hasSize(3);
		Awaitility.await().untilAsserted(() -> {
			System.gc();
			assertThat(later).allMatch((place) -> place.get() == null);
		});
		assertThat(first).hasSize(1);
	}

	@Test
	void oneThatStaysKeepsNobodyElse() {
		PendingSend<String, String> stays = handedOver(0);
		for (int i = 0; i < 3000; i++) {
			handedOver(i).leaveFlight();
		}
		this.inFlight.sweep(1);
		for (int i = 0; i < 3000; i++) {
			handedOver(i).leaveFlight();
		}
		assertThat(stays.isIn(this.inFlight)).isTrue();
		assertThat(this.inFlight.abandon(Diagnosis.of(FailureReason.CLOSED))).isOne();
	}

	@Test
	void givingUpEndsWhatIsLeft() {
		for (int i = 0; i < 1500; i++) {
			PendingSend<String, String> send = handedOver(i);
			if (i % 3 == 0) {
				send.leaveFlight();
			}
			if (i == 700) {
				this.inFlight.sweep(i);
			}
		}
		assertThat(this.inFlight.abandon(Diagnosis.of(FailureReason.CLOSED))).isEqualTo(1000);
		assertThat(this.inFlight.abandon(Diagnosis.of(FailureReason.CLOSED))).isZero();
	}

	/**
	 * Red when what somebody is just handing over counts as taken by the client that is
	 * given up: it was never sent, and goes to the next client.
	 */
	@Test
	void whoIsInACallOfAClientThatIsGivenUpEndsHisSendHimself() {
		PendingSend<String, String> taken = handedOver(0);
		PendingSend<String, String> handing = new PendingSend<>(this.context, new ProducerRecord<>("orders", "v"), null,
				0);
		handing.take();
		handing.handing();
		this.inFlight.add(handing, 0);
		InFlight next = new InFlight(LIMIT, this.inFlight);
		assertThat(this.inFlight.giveUp(Diagnosis.of(FailureReason.PRODUCER_FATAL))).isOne();
		next.sweep(1);
		assertThat(taken.isHeldBack()).isFalse();
		handing.handed(true);
		assertThat(handing.giveBackUnlessEnded()).isTrue();
		handing.take();
		handing.handing();
		next.add(handing, 2);
		handing.handed(false);
		next.sweep(3);
		assertThat(handing.giveBackUnlessEnded()).as("with the next client").isTrue();
	}

	/** Red when a mark and a place can be read in an order that was never written. */
	@Test
	void nobodyEndsWhatTheClientRefusesWhileItIsGivenUp() throws Exception {
		AtomicBoolean over = new AtomicBoolean();
		Thread sweeper = new Thread(() -> {
			InFlight next = new InFlight(LIMIT, this.inFlight);
			while (!over.get()) {
				this.inFlight.giveUp(Diagnosis.of(FailureReason.PRODUCER_FATAL));
				next.sweep(1);
			}
		});
		sweeper.start();
		int ended = 0;
		for (int i = 0; i < 20_000; i++) {
			PendingSend<String, String> send = new PendingSend<>(this.context, new ProducerRecord<>("orders", "v"),
					null, 0);
			send.take();
			send.handing();
			this.inFlight.add(send, 0);
			send.handed(true);
			ended += send.giveBackUnlessEnded() ? 0 : 1;
		}
		over.set(true);
		sweeper.join();
		assertThat(ended).isZero();
	}

	/** Red when a client that takes a record while it is given up leaves it open. */
	@Test
	void whatAClientTookWhileItWasGivenUpEnds() {
		PendingSend<String, String> handing = new PendingSend<>(this.context, new ProducerRecord<>("orders", "v"), null,
				0);
		handing.take();
		handing.handing();
		this.inFlight.add(handing, 0);
		this.inFlight.giveUp(Diagnosis.of(FailureReason.PRODUCER_FATAL));
		handing.handed(false);
		new InFlight(LIMIT, this.inFlight).sweep(1);
		assertThat(MockClients.failure(handing).isPossiblySent()).isTrue();
	}

	/** Red when a call that never returns keeps its send open. */
	@Test
	void aCallThatNeverReturnsEndsItsSendAtItsDeadline() {
		PendingSend<String, String> handing = new PendingSend<>(this.context, new ProducerRecord<>("orders", "v"), null,
				0);
		handing.take();
		handing.handing();
		this.inFlight.add(handing, 0);
		this.inFlight.giveUp(Diagnosis.of(FailureReason.PRODUCER_FATAL));
		this.inFlight.sweep(LIMIT + GRACE);
		assertThat(MockClients.failure(handing).getReason()).isEqualTo(FailureReason.DELIVERY_TIMEOUT);
	}

	/**
	 * Senders, an I/O thread and the timer at once: exactly those that never left expire.
	 * Red when a chunk with a claimed but still empty place is retired.
	 */
	@Test
	void nothingIsForgottenAmongThreads() throws Exception {
		int senders = 3;
		int each = 60_000;
		ConcurrentLinkedQueue<PendingSend<String, String>> handed = new ConcurrentLinkedQueue<>();
		AtomicBoolean over = new AtomicBoolean();
		AtomicInteger kept = new AtomicInteger();
		CountDownLatch sent = new CountDownLatch(senders);
		List<Thread> threads = new ArrayList<>();
		for (int i = 0; i < senders; i++) {
			threads.add(new Thread(() -> {
				for (int k = 0; k < each; k++) {
					handed.add(handedOver(0));
				}
				sent.countDown();
			}));
		}
		threads.add(new Thread(() -> {
			int count = 0;
			while (sent.getCount() > 0 || !handed.isEmpty()) {
				PendingSend<String, String> send = handed.poll();
				if (send != null && ++count % 1000 == 0) {
					kept.incrementAndGet();
				}
				else if (send != null) {
					send.leaveFlight();
				}
			}
			over.set(true);
		}));
		threads.add(new Thread(() -> {
			while (!over.get()) {
				assertThat(this.inFlight.sweep(1).expired()).isZero();
			}
		}));
		threads.forEach(Thread::start);
		for (Thread thread : threads) {
			thread.join();
		}
		assertThat(kept).hasValue(senders * each / 1000);
		assertThat(this.inFlight.sweep(LIMIT + GRACE).expired()).isEqualTo(kept.get());
	}

	private PendingSend<String, String> handedOver(long now) {
		PendingSend<String, String> send = new PendingSend<>(this.context, new ProducerRecord<>("orders", "v"), null,
				now);
		send.take();
		this.inFlight.add(send, now);
		return send;
	}

}
