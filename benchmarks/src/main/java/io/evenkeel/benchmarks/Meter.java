package io.evenkeel.benchmarks;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;

import com.sun.management.OperatingSystemMXBean;
import com.sun.management.ThreadMXBean;

/**
 * Measures what this process does between two moments: time, CPU by kinds of threads,
 * bytes, and how often threads were switched (on Linux).
 */
final class Meter {

	private static final OperatingSystemMXBean SYSTEM = (OperatingSystemMXBean) ManagementFactory
		.getOperatingSystemMXBean();

	private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

	private static volatile Meter current;

	/** By the id of a thread: CPU and bytes; what has ended leaves its count here. */
	private final Map<Long, long[]> before = new HashMap<>();

	private final Map<String, long[]> used = new HashMap<>();

	private long startedAt;

	private long cpu;

	private long switches;

	static Meter start() throws IOException {
		Meter meter = new Meter();
		current = meter;
		for (long id : THREADS.getAllThreadIds()) {
			meter.before.put(id, new long[] { THREADS.getThreadCpuTime(id), THREADS.getThreadAllocatedBytes(id) });
		}
		meter.switches = countSwitches();
		meter.cpu = SYSTEM.getProcessCpuTime();
		meter.startedAt = System.nanoTime();
		return meter;
	}

	static Meter current() {
		return current;
	}

	/** The calling thread is about to end: nobody can ask for its use then. */
	synchronized void ends(Thread thread) {
		count(thread.getId(), thread.getName());
		this.before.put(thread.getId(), null);
		try {
			this.switches -= switches(Path.of("/proc/thread-self/status"));
		}
		catch (IOException ex) {
			// not told here
		}
	}

	private void count(long id, String name) {
		long[] before = this.before.containsKey(id) ? this.before.get(id) : new long[2];
		if (before == null) {
			return;
		}
		long[] sum = this.used.computeIfAbsent(kind(name), (kind) -> new long[2]);
		sum[0] += Math.max(0, THREADS.getThreadCpuTime(id)) - Math.max(0, before[0]);
		sum[1] += Math.max(0, THREADS.getThreadAllocatedBytes(id)) - Math.max(0, before[1]);
	}

	private static String kind(String name) {
		if (name.startsWith("caller")) {
			return "caller";
		}
		if (name.startsWith("kafka-producer-network")) {
			return "network";
		}
		return name.startsWith("evenkeel") ? "ours" : "other";
	}

	SendCost stop(int records) throws IOException {
		double seconds = (System.nanoTime() - this.startedAt) / 1e9;
		double cpu = (SYSTEM.getProcessCpuTime() - this.cpu) / 1e3 / records;
		long switched = countSwitches() - this.switches;
		for (java.lang.management.ThreadInfo info : THREADS.getThreadInfo(THREADS.getAllThreadIds())) {
			if (info != null) {
				count(info.getThreadId(), info.getThreadName());
			}
		}
		long bytes = this.used.values().stream().mapToLong((use) -> use[1]).sum();
		return new SendCost(
				new double[] { records / seconds / 1e3, cpu, micros("caller", records), micros("ours", records),
						micros("network", records), (double) bytes / records, switched * 1e3 / records });
	}

	private double micros(String kind, int records) {
		return this.used.getOrDefault(kind, new long[2])[0] / 1e3 / records;
	}

	private static long countSwitches() throws IOException {
		Path tasks = Path.of("/proc/self/task");
		if (!Files.isDirectory(tasks)) {
			return 0;
		}
		long sum = 0;
		try (DirectoryStream<Path> all = Files.newDirectoryStream(tasks)) {
			for (Path task : all) {
				try {
					sum += switches(task.resolve("status"));
				}
				catch (NoSuchFileException ex) {
					// it has ended
				}
			}
		}
		return sum;
	}

	private static long switches(Path status) throws IOException {
		return Files.readAllLines(status)
			.stream()
			.filter((line) -> line.contains("voluntary_ctxt_switches"))
			.mapToLong((line) -> Long.parseLong(line.substring(line.indexOf(':') + 1).trim()))
			.sum();
	}

}
