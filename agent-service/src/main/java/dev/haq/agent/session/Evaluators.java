package dev.haq.agent.session;

import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;

/** The threads on which a session's episodes are evaluated; its own where one is enough. */
final class Evaluators implements Executor, AutoCloseable {
  private final Executor executor;
  private final Runnable shutdown;

  private Evaluators(Executor executor, Runnable shutdown) {
    this.executor = executor;
    this.shutdown = shutdown;
  }

  static Evaluators of(SessionSpec.Pace pace, String sessionId) {
    if (pace.window() == 1) {
      return new Evaluators(Runnable::run, () -> {});
    }
    AtomicInteger count = new AtomicInteger();
    String name = "session-" + sessionId.substring(0, Math.min(8, sessionId.length())) + "-eval-";
    ExecutorService threads =
        Executors.newFixedThreadPool(
            pace.parallelEpisodes(),
            task -> {
              Thread thread = new Thread(task, name + count.incrementAndGet());
              thread.setDaemon(true);
              return thread;
            });
    return new Evaluators(threads, threads::shutdownNow);
  }

  @Override
  public void execute(Runnable task) {
    executor.execute(task);
  }

  /** Does not wait: what is still under way has been aborted or is of no use. */
  @Override
  public void close() {
    shutdown.run();
  }
}
