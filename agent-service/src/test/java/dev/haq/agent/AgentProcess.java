package dev.haq.agent;

import java.io.IOException;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;

/** The agent as a process of its own, which a test can kill. */
final class AgentProcess implements AutoCloseable {
  private final Process process;
  private final int port;
  private final Path output;

  private AgentProcess(Process process, int port, Path output) {
    this.process = process;
    this.port = port;
    this.output = output;
  }

  /**
   * Starts a process; its port is taken by the time it has begun to listen.
   *
   * @param directory for its settings and output
   */
  static AgentProcess start(Path directory, String store, String hwsim, String quantizer)
      throws IOException {
    int port = freePort();
    Path config = directory.resolve("agent-" + port + ".yaml");
    Files.writeString(
        config,
        """
        host: 127.0.0.1
        port: %d
        store:
          url: %s
        sessions:
          max-running: 1
          patience-seconds: 60
          lease-seconds: 4
        hwsim:
          target: %s
          deadline-seconds: 60
        quantizer:
          target: %s
          deadline-seconds: 60
          shards: 1
        """
            .formatted(port, store, hwsim, quantizer));
    Path output = directory.resolve("agent-" + port + ".log");
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx1g",
                // It lives for seconds: starting counts for more than what an optimizing compiler
                // would gain.
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "-cp",
                System.getProperty("java.class.path"),
                AgentService.class.getName(),
                "--config",
                config.toString())
            .redirectErrorStream(true)
            .redirectOutput(output.toFile())
            .start();
    return new AgentProcess(process, port, output);
  }

  int port() {
    return port;
  }

  String output() throws IOException {
    return Files.readString(output);
  }

  /** Waits for its end; answers the exit status. */
  int exit() throws InterruptedException {
    if (!process.waitFor(60, TimeUnit.SECONDS)) {
      throw new AssertionError("the agent did not end");
    }
    return process.exitValue();
  }

  /** As {@code kill -9}: no handler runs, nothing is closed. */
  void kill() throws InterruptedException {
    if (!process.isAlive()) {
      throw new AssertionError("the agent had ended before it was to be killed");
    }
    process.destroyForcibly().waitFor();
  }

  @Override
  public void close() {
    process.destroyForcibly().onExit().join();
  }

  private static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0)) {
      return socket.getLocalPort();
    }
  }
}
