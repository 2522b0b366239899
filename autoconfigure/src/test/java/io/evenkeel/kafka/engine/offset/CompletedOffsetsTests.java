package io.evenkeel.kafka.engine.offset;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.Random;
import java.util.zip.CRC32;

import io.evenkeel.kafka.engine.offset.CompletedOffsets.Status;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.NullAndEmptySource;
import org.junit.jupiter.params.provider.ValueSource;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Tests for {@link CompletedOffsets}.
 * <p>
 * Guards and what turns red without them: <em>checksum</em>
 * ({@link #flippedBitNeverGivesAnotherMap}, {@link #wrongChecksumIsDamaged}), <em>base
 * equals the committed offset</em> ({@link #mapOfAnotherOffsetIsDamaged}), <em>span
 * limit</em> ({@link #runsBeyondTheSpanLimitAreDamaged}), <em>length limit</em>
 * ({@link #tooLongTextIsHuge}), <em>sense of the runs</em>
 * ({@link #runsWithoutSenseAreDamaged}), <em>sense of the bitmap</em>
 * ({@link #bitmapWithoutSenseIsDamaged}).
 */
class CompletedOffsetsTests {

	/** Base 1000, runs 1 and 300; made by another program, from the format's text. */
	private static final String RUNS_TEXT = "ek1:CJvAIQAAAAAAAAPoAAGsAg";

	/** Base 7, bits aa 0a; made likewise. */
	private static final String BITMAP_TEXT = "ek1:Q69eHwAAAAAAAAAHAaoK";

	@ParameterizedTest
	@NullAndEmptySource
	void noMetadataIsAbsent(String metadata) {
		assertEmpty(CompletedOffsets.decode(metadata, 42), Status.ABSENT, 42);
	}

	@ParameterizedTest
	@ValueSource(strings = { "x", " ", "ek1", "ek2:AAAA", "EK1:AAAA", " ek1:AAAA", "AgAAAY3xZ2Q=", "\uD83D\uDE00" })
	void othersMetadataIsForeign(String metadata) {
		assertEmpty(CompletedOffsets.decode(metadata, 42), Status.FOREIGN, 42);
	}

	@ParameterizedTest
	@ValueSource(strings = { "ek1:", "ek1:A", "ek1:AAAA", "ek1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "ek1:====", "ek1:a b",
			"ek1:a+b/", "ek1:\u00e9\u00e9\u00e9\u00e9", "ek1:\uD83D\uDE00", "ek1:ek1:" })
	void nonsenseIsDamaged(String metadata) {
		assertEmpty(CompletedOffsets.decode(metadata, 42), Status.DAMAGED, 42);
	}

	@Test
	void tooLongTextIsHuge() {
		String longest = text(CompletedMapFormat.RUNS, 0, new byte[49_136]);
		assertThat(longest.length()).isEqualTo(65_536);
		assertThat(CompletedOffsets.decode(longest, 0).status()).isEqualTo(Status.DAMAGED);
		assertEmpty(CompletedOffsets.decode(text(CompletedMapFormat.RUNS, 0, new byte[49_137]), 0), Status.HUGE, 0);
		assertEmpty(CompletedOffsets.decode("ek1:" + "A".repeat(5_000_000), 0), Status.HUGE, 0);
		assertEmpty(CompletedOffsets.decode("A".repeat(5_000_000), 0), Status.FOREIGN, 0);
	}

	@Test
	void longestTextIsReadAndWritten() {
		OffsetTracker tracker = new OffsetTracker();
		Random random = new Random(3);
		for (int offset = 0; offset < 1_000_000; offset++) {
			tracker.begin(offset, 0);
			if (offset > 0 && random.nextBoolean()) {
				tracker.complete(offset);
			}
		}
		CommitPoint point = tracker.commitPoint(Integer.MAX_VALUE);
		assertThat(point.truncated()).isTrue();
		assertThat(point.metadata()).hasSize(65_536);
		CompletedOffsets decoded = CompletedOffsets.decode(point.metadata(), point.offset());
		assertThat(decoded.status()).isEqualTo(Status.OK);
		assertThat(decoded.upTo()).isBetween(49_135L * 8, 49_136L * 8);
	}

	@Test
	void layoutOfVersionOneIsFixed() {
		OffsetTracker tracker = new OffsetTracker();
		tracker.begin(1000, 0);
		for (int offset = 1001; offset <= 1300; offset++) {
			tracker.complete(tracker.begin(offset, 0));
		}
		String runs = text(CompletedMapFormat.RUNS, 1000, 1, 0x80 | 44, 2);
		assertThat(tracker.commitPoint(4096).metadata()).isEqualTo(runs).isEqualTo(RUNS_TEXT);
		OffsetTracker dense = new OffsetTracker();
		for (int offset = 7; offset < 7 + 12; offset++) {
			dense.begin(offset, 0);
		}
		for (int sequence = 1; sequence < 12; sequence += 2) {
			dense.complete(sequence);
		}
		String bitmap = text(CompletedMapFormat.BITMAP, 7, 0xaa, 0x0a);
		assertThat(dense.commitPoint(4096).metadata()).isEqualTo(bitmap).isEqualTo(BITMAP_TEXT);
	}

	@Test
	void knowledgeIsBoundedOnBothSides() {
		for (String text : new String[] { text(CompletedMapFormat.RUNS, 100, 2, 3, 1, 2),
				text(CompletedMapFormat.BITMAP, 100, 0b11011100) }) {
			CompletedOffsets offsets = CompletedOffsets.decode(text, 100);
			assertThat(offsets.status()).isEqualTo(Status.OK);
			assertThat(offsets.isEmpty()).isFalse();
			assertThat(offsets.upTo()).isEqualTo(108);
			for (long offset : new long[] { 102, 103, 104, 106, 107 }) {
				assertThat(offsets.contains(offset)).as("%d", offset).isTrue();
			}
			for (long offset : new long[] { Long.MIN_VALUE, -1, 0, 99, 100, 101, 105, 108, 109, Long.MAX_VALUE }) {
				assertThat(offsets.contains(offset)).as("%d", offset).isFalse();
			}
		}
	}

	@Test
	void mapOfAnotherOffsetIsDamaged() {
		String text = text(CompletedMapFormat.RUNS, 100, 1, 1);
		assertThat(CompletedOffsets.decode(text, 100).status()).isEqualTo(Status.OK);
		for (long committed : new long[] { 99, 101, 0, -1, Long.MAX_VALUE }) {
			assertEmpty(CompletedOffsets.decode(text, committed), Status.DAMAGED, committed);
		}
	}

	@Test
	void impossibleBaseIsDamaged() {
		for (long base : new long[] { -1, Long.MIN_VALUE, Long.MAX_VALUE, Long.MAX_VALUE - 1 }) {
			assertEmpty(CompletedOffsets.decode(text(CompletedMapFormat.RUNS, base, 1, 1), base), Status.DAMAGED, base);
		}
	}

	@Test
	void wrongChecksumIsDamaged() {
		byte[] bytes = bytes(CompletedMapFormat.RUNS, 100, 1, 1);
		bytes[0]++;
		assertEmpty(CompletedOffsets.decode(text(bytes), 100), Status.DAMAGED, 100);
	}

	@Test
	void runsWithoutSenseAreDamaged() {
		int[][] bodies = { {}, { 1 }, { 0, 1 }, { 1, 0 }, { 1, 1, 1 }, { 1, 0x81 }, { 1, 0x80, 0x80, 0x80, 0x80, 1 },
				{ 0xff, 0xff, 0xff, 0xff, 0xff } };
		for (int[] body : bodies) {
			assertEmpty(CompletedOffsets.decode(text(CompletedMapFormat.RUNS, 100, body), 100), Status.DAMAGED, 100);
		}
	}

	@Test
	void runsBeyondTheSpanLimitAreDamaged() {
		// 1 + (2^24 - 1) is the limit, 1 + 2^24 beyond it.
		assertThat(CompletedOffsets.decode(text(CompletedMapFormat.RUNS, 100, 1, 0xff, 0xff, 0xff, 7), 100).upTo())
			.isEqualTo(100 + (1 << 24));
		assertEmpty(CompletedOffsets.decode(text(CompletedMapFormat.RUNS, 100, 1, 0x80, 0x80, 0x80, 8), 100),
				Status.DAMAGED, 100);
	}

	@Test
	void bitmapWithoutSenseIsDamaged() {
		int[][] bodies = { {}, { 1 }, { 0xff }, { 0 }, { 2, 0 } };
		for (int[] body : bodies) {
			assertEmpty(CompletedOffsets.decode(text(CompletedMapFormat.BITMAP, 100, body), 100), Status.DAMAGED, 100);
		}
	}

	@Test
	void unknownKindIsDamaged() {
		assertEmpty(CompletedOffsets.decode(text((byte) 2, 100, 1, 1), 100), Status.DAMAGED, 100);
	}

	@Test
	void tinyTextAllocatesLittle() {
		String hostile = text(CompletedMapFormat.RUNS, 100, 1, 0xff, 0xff, 0xff, 7);
		CompletedOffsets.decode(hostile, 100);
		long before = OffsetTrackerTests.allocatedBytes();
		CompletedOffsets decoded = CompletedOffsets.decode(hostile, 100);
		assertThat(OffsetTrackerTests.allocatedBytes() - before).isLessThan(4_000);
		assertThat(decoded.contains(100 + (1 << 23))).isTrue();
	}

	@Test
	void flippedBitNeverGivesAnotherMap() {
		Seeds.each(300, (random) -> {
			CommitPoint point = randomPoint(random);
			String original = point.metadata();
			CompletedOffsets expected = CompletedOffsets.decode(original, point.offset());
			assertThat(expected.status()).isEqualTo(Status.OK);
			for (int i = 0; i < original.length(); i++) {
				char[] chars = original.toCharArray();
				chars[i] ^= (char) (1 << random.nextInt(8));
				CompletedOffsets decoded = CompletedOffsets.decode(new String(chars), point.offset());
				// Only the unused bits of the last character may change unnoticed.
				if (decoded.status() == Status.OK) {
					assertThat(i).isEqualTo(original.length() - 1);
					assertSame(decoded, expected);
				}
				else {
					assertEmpty(decoded, (i < 4) ? Status.FOREIGN : Status.DAMAGED, point.offset());
				}
			}
		});
	}

	@Test
	void cutOrJoinedTextIsDamaged() {
		Seeds.each(300, (random) -> {
			CommitPoint point = randomPoint(random);
			String original = point.metadata();
			int at = 4 + random.nextInt(original.length() - 4);
			assertEmpty(CompletedOffsets.decode(original.substring(0, at), point.offset()), Status.DAMAGED,
					point.offset());
			assertEmpty(CompletedOffsets.decode(original + original.substring(at), point.offset()), Status.DAMAGED,
					point.offset());
		});
	}

	@Test
	void randomBytesNeverThrow() {
		Seeds.each(20_000, (random) -> {
			byte[] noise = new byte[random.nextInt(60)];
			random.nextBytes(noise);
			long committed = random.nextLong();
			String encoded = Base64.getUrlEncoder().withoutPadding().encodeToString(noise);
			assertEmpty(CompletedOffsets.decode("ek1:" + encoded, committed), Status.DAMAGED, committed);
			CompletedOffsets.decode(new String(noise, StandardCharsets.UTF_16), committed);
			// Noise with a right checksum and base gets as far as the body.
			int[] body = noise.length == 0 ? new int[0] : random.ints(random.nextInt(12), 0, 256).toArray();
			long base = random.nextInt(1000);
			CompletedOffsets decoded = CompletedOffsets.decode(text((byte) random.nextInt(3), base, body), base);
			if (decoded.status() == Status.OK) {
				assertThat(decoded.contains(base)).isFalse();
				assertThat(decoded.contains(decoded.upTo() - 1)).isTrue();
				assertThat(decoded.contains(decoded.upTo())).isFalse();
			}
			else {
				assertEmpty(decoded, Status.DAMAGED, base);
			}
		});
	}

	private static CommitPoint randomPoint(Random random) {
		OffsetTracker tracker = new OffsetTracker();
		int count = 2 + random.nextInt(300);
		int density = 1 + random.nextInt(20);
		long offset = random.nextInt(1_000_000);
		for (int i = 0; i < count; i++) {
			offset += 1 + random.nextInt(3);
			tracker.begin(offset, 0);
			if (i > 0 && random.nextInt(20) < density) {
				tracker.complete(i);
			}
		}
		tracker.complete(count - 1);
		return tracker.commitPoint(4096);
	}

	private static void assertSame(CompletedOffsets actual, CompletedOffsets expected) {
		assertThat(actual.upTo()).isEqualTo(expected.upTo());
		for (long offset = expected.upTo() - 1; offset >= expected.upTo() - 1000; offset--) {
			assertThat(actual.contains(offset)).isEqualTo(expected.contains(offset));
		}
	}

	private static void assertEmpty(CompletedOffsets offsets, Status status, long committed) {
		assertThat(offsets.status()).isEqualTo(status);
		assertThat(offsets.isEmpty()).isTrue();
		assertThat(offsets.upTo()).isEqualTo(committed);
		assertThat(offsets.contains(committed)).isFalse();
		assertThat(offsets.contains(committed + 1)).isFalse();
	}

	private static String text(byte kind, long base, int... body) {
		return text(bytes(kind, base, body));
	}

	private static String text(byte kind, long base, byte[] body) {
		int[] values = new int[body.length];
		for (int i = 0; i < body.length; i++) {
			values[i] = body[i];
		}
		return text(kind, base, values);
	}

	private static String text(byte[] bytes) {
		return "ek1:" + Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
	}

	private static byte[] bytes(byte kind, long base, int... body) {
		ByteBuffer buffer = ByteBuffer.allocate(13 + body.length).putInt(0).putLong(base).put(kind);
		for (int value : body) {
			buffer.put((byte) value);
		}
		CRC32 crc = new CRC32();
		crc.update(buffer.array(), 4, buffer.capacity() - 4);
		return buffer.putInt(0, (int) crc.getValue()).array();
	}

}
