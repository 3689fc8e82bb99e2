package dev.haq.cli;

import dev.haq.standalone.Standalone;
import java.nio.file.Path;
import java.util.Optional;

/** A gateway to talk to: the one of {@code --server}, or one started inside this process. */
final class Connection implements AutoCloseable {
  private final GatewayClient client;
  private final Optional<Standalone> inside;

  private Connection(GatewayClient client, Optional<Standalone> inside) {
    this.client = client;
    this.inside = inside;
  }

  /** For commands that ask nothing of the agent service: it is not started inside. */
  static Connection open(CommonOptions options) {
    return open(options, Standalone.Options.inside(options.dataDir(), Optional.empty()));
  }

  /** For commands that ask the agent service for something other than a session. */
  static Connection openWithAgent(CommonOptions options) {
    return open(options, Standalone.Options.insideWithoutSessions(options.dataDir()));
  }

  /**
   * @param sessions the folder of the session store when the services start inside
   */
  static Connection open(CommonOptions options, Path sessions) {
    return open(options, Standalone.Options.inside(options.dataDir(), Optional.of(sessions)));
  }

  GatewayClient client() {
    return client;
  }

  @Override
  public void close() {
    inside.ifPresent(Standalone::close);
  }

  private static Connection open(CommonOptions options, Standalone.Options inside) {
    if (options.hasServer()) {
      return new Connection(options.serverClient(), Optional.empty());
    }
    Standalone standalone = Standalone.start(inside);
    return new Connection(new GatewayClient(standalone.url()), Optional.of(standalone));
  }
}
