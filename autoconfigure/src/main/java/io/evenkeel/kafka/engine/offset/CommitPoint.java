package io.evenkeel.kafka.engine.offset;

/**
 * What to commit for a partition: position and completed map of one moment. They belong
 * together, because the map counts from the position and is refused beside another one.
 *
 * @param offset the next offset to read, as Kafka commits it, or -1 when there is nothing
 * to commit
 * @param metadata what is completed above the offset, for {@link CompletedOffsets}; empty
 * when nothing is, or when the map had no space at all
 * @param truncated whether the map had too little space and leaves out completed offsets,
 * which a new owner would handle again
 */
public record CommitPoint(long offset, String metadata, boolean truncated) {

}
