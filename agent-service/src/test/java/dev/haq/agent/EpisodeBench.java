package dev.haq.agent;

import com.sun.management.OperatingSystemMXBean;
import dev.haq.rpc.ServiceRuntime;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadInfo;
import java.lang.management.ThreadMXBean;
import java.nio.file.Files;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/**
 * Whether episodes become dearer as a search goes on: processor time of an episode, over blocks of
 * a hundred. Agent, snapshot, store (an H2 file), watch and calls are real, the services behind are
 * fakes, and DDPG's networks are small, so that what is left is what could grow. What other
 * programs do has little bearing on processor time; the first blocks also compile the code.
 *
 * <p>{@code EpisodeBench [EPISODES [AGENT...]]}, by default 2,000 of {@code ddpg} and of {@code
 * auto}; started by hand.
 */
public final class EpisodeBench {
  private static final int BLOCK = 100;
  private static final double MILLIS_PER_NANO = 1e-6;

  private EpisodeBench() {}

  public static void main(String[] args) throws IOException {
    int episodes = args.length > 0 ? Integer.parseInt(args[0]) : 2_000;
    List<String> agents =
        args.length > 1 ? Arrays.asList(args).subList(1, args.length) : List.of("ddpg", "auto");
    String store = "jdbc:h2:file:" + Files.createTempDirectory("bench") + "/sessions";
    ServiceRuntime runtime = ServiceRuntime.create();
    try (FakeSimulator simulator = new FakeSimulator(runtime);
        FakeQuantizer quantizer = new FakeQuantizer(runtime);
        AgentService service =
            AgentService.start(
                runtime,
                AgentSettings.defaults()
                    .withAddress("127.0.0.1", 0)
                    .withStore(store)
                    .withTargets(simulator.target(), quantizer.target()));
        TestClient client = new TestClient(service.port())) {
      System.out.printf(
          "%-9s %10s %20s %20s%n", "agent", "episodes", "its thread, ms", "process, ms");
      for (String agent : agents) {
        search(agent, episodes, client, quantizer);
      }
    } finally {
      runtime.close();
    }
  }

  private static void search(
      String agent, int episodes, TestClient client, FakeQuantizer quantizer) {
    quantizer.hold();
    // One more, which is held while the time is read.
    String id = client.create(TestClient.spec(episodes + 1).setAgent(agent)).getId();
    quantizer.awaitHeld();
    for (int done = BLOCK; done <= episodes; done += BLOCK) {
      double threadBefore = threadMillis(id);
      double processBefore = processMillis();
      quantizer.permit(BLOCK);
      client.awaitEpisodes(id, done);
      quantizer.awaitHeld();
      System.out.printf(
          Locale.ROOT,
          "%-9s %10s %20.2f %20.2f%n",
          agent,
          (done - BLOCK + 1) + "-" + done,
          (threadMillis(id) - threadBefore) / BLOCK,
          (processMillis() - processBefore) / BLOCK);
    }
    quantizer.permit(1);
    client.awaitEnd(id);
  }

  /** Of the session's thread. */
  private static double threadMillis(String id) {
    ThreadMXBean threads = ManagementFactory.getThreadMXBean();
    return Arrays.stream(threads.getThreadInfo(threads.getAllThreadIds()))
            .filter(thread -> thread != null)
            .filter(thread -> thread.getThreadName().equals("session-" + id.substring(0, 8)))
            .mapToLong(ThreadInfo::getThreadId)
            .map(threads::getThreadCpuTime)
            .sum()
        * MILLIS_PER_NANO;
  }

  private static double processMillis() {
    return ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class).getProcessCpuTime()
        * MILLIS_PER_NANO;
  }
}
