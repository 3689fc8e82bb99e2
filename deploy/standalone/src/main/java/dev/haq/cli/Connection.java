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

  /** For commands without sessions: what is started inside cannot run any. */
  static Connection open(CommonOptions options) {
    return options.hasServer() ? to(options) : start(options, Optional.empty());
  }

  /**
   * @param sessions the folder of the session store when the services start inside
   */
  static Connection open(CommonOptions options, Path sessions) {
    return options.hasServer() ? to(options) : start(options, Optional.of(sessions));
  }

  GatewayClient client() {
    return client;
  }

  @Override
  public void close() {
    inside.ifPresent(Standalone::close);
  }

  private static Connection to(CommonOptions options) {
    return new Connection(new GatewayClient(options.server()), Optional.empty());
  }

  private static Connection start(CommonOptions options, Optional<Path> sessions) {
    Standalone standalone =
        Standalone.start(Standalone.Options.inside(options.dataDir(), sessions));
    return new Connection(new GatewayClient(standalone.url()), Optional.of(standalone));
  }
}
