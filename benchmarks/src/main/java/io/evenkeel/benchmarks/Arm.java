package io.evenkeel.benchmarks;

/**
 * One way of consuming a topic.
 */
interface Arm {

	/**
	 * The name in the table.
	 * @return short
	 */
	String name();

	/**
	 * Consume the topic from its beginning, in a new group, until the work has seen all
	 * records.
	 * @param workload what is consumed and done
	 * @param work counts the records
	 * @throws Exception when the arm breaks
	 */
	void consume(Workload workload, Work work) throws Exception;

}
