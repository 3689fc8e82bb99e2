package dev.haq.cli;

import dev.haq.model.HaqException;
import dev.haq.model.Reason;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Where the {@code haq serve} of a data folder listens, so that {@code haq sessions} on the same
 * machine finds it without being told.
 */
final class ServeAddress {
  private static final String FILE = "serve.url";

  private ServeAddress() {}

  static void write(Path dataDir, URI url) {
    try {
      Files.createDirectories(dataDir);
      Files.writeString(dataDir.resolve(FILE), url + "\n");
    } catch (IOException e) {
      throw HaqException.invalid("--data-dir %s: cannot be written: %s", dataDir, FileFault.why(e));
    }
  }

  static void remove(Path dataDir) {
    try {
      Files.deleteIfExists(dataDir.resolve(FILE));
    } catch (IOException e) {
      org.slf4j.LoggerFactory.getLogger(ServeAddress.class)
          .warn("{} could not be removed: {}", dataDir.resolve(FILE), e.getMessage());
    }
  }

  /** The gateway of {@code --server}, or of the services that run on this data folder. */
  static GatewayClient client(CommonOptions options) {
    if (options.hasServer()) {
      return options.serverClient();
    }
    Path file = options.dataDir().resolve(FILE);
    try {
      if (Files.exists(file)) {
        GatewayClient client = new GatewayClient(URI.create(Files.readString(file).strip()));
        if (client.isReady()) {
          return client;
        }
      }
    } catch (IOException | IllegalArgumentException e) {
      throw HaqException.invalid("%s cannot be read: give --server URL", file);
    }
    throw new HaqException(
        Reason.INVALID_ARGUMENT,
        "no 'haq serve' runs on "
            + options.dataDir()
            + ": start one, or give --server URL or its --data-dir");
  }
}
