package dev.haq.cli;

import dev.haq.model.HaqException;
import java.net.URI;
import java.nio.file.Path;
import picocli.CommandLine.Option;

/** What every command understands. */
final class CommonOptions {
  @Option(
      names = "--server",
      paramLabel = "URL",
      description =
          "The gateway to ask; without it the services start inside this command. Where a proxy"
              + " before it asks who you are, set HAQ_AUTHORIZATION to what the header Authorization"
              + " shall say, such as 'Bearer ...'.")
  private String server;

  @Option(
      names = "--json",
      description = "Print one JSON document on standard output and nothing else there.")
  private boolean json;

  @Option(
      names = "--data-dir",
      paramLabel = "DIR",
      description = "Where imported models and data are kept; $HAQ_HOME or ~/.haq by default.")
  private Path dataDir;

  Terminal terminal() {
    return Terminal.system(json);
  }

  boolean hasServer() {
    return server != null;
  }

  /** The gateway of {@code --server}, asked as who the environment says. */
  GatewayClient serverClient() {
    return new GatewayClient(new GatewayHttp(server()).as(Authorization.ofEnvironment()));
  }

  private URI server() {
    URI uri;
    try {
      uri = URI.create(server);
    } catch (IllegalArgumentException e) {
      throw HaqException.invalid("--server %s is not a URL such as http://localhost:8080", server);
    }
    if (uri.getHost() == null
        || !("http".equals(uri.getScheme()) || "https".equals(uri.getScheme()))) {
      throw HaqException.invalid("--server %s is not a URL such as http://localhost:8080", server);
    }
    return uri;
  }

  /** Absolute; may not exist yet. */
  Path dataDir() {
    if (dataDir != null) {
      return dataDir.toAbsolutePath().normalize();
    }
    String home = System.getenv("HAQ_HOME");
    return home != null && !home.isBlank()
        ? Path.of(home).toAbsolutePath().normalize()
        : Path.of(System.getProperty("user.home"), ".haq").toAbsolutePath();
  }
}
