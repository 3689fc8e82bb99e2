package dev.haq.cli;

import dev.haq.standalone.Standalone;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * The four services in this JVM, real gRPC between them, and the command as their client. They
 * start for the first test class that asks for them and serve every one after it, so that a test
 * must not count on being their only caller.
 */
final class Services implements BeforeAllCallback {
  private static final ExtensionContext.Namespace NAMESPACE =
      ExtensionContext.Namespace.create(Services.class);

  private Running running;

  /** What all classes share. */
  private record Running(Path folder, Standalone standalone) implements AutoCloseable {
    static Running start() {
      try {
        Path folder = Files.createTempDirectory("haq-services-");
        Standalone.Options options =
            Standalone.Options.inside(
                folder.resolve("data"), Optional.of(folder.resolve("sessions")));
        return new Running(folder, Standalone.start(options));
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }

    /** Called by JUnit after the last class. */
    @Override
    public void close() throws IOException {
      standalone.close();
      try (Stream<Path> files = Files.walk(folder)) {
        for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
          Files.deleteIfExists(file);
        }
      }
    }
  }

  @Override
  public void beforeAll(ExtensionContext context) {
    running =
        context
            .getRoot()
            .getStore(NAMESPACE)
            .getOrComputeIfAbsent(Running.class, type -> Running.start(), Running.class);
  }

  /** Where the gateway listens. */
  URI url() {
    return running.standalone.url();
  }

  GatewayClient client() {
    return new GatewayClient(url());
  }

  /** What {@code --data-dir} would be. */
  Path dataDir() {
    return running.folder.resolve("data");
  }

  /** How many layers the built-in model has. */
  int layers() {
    return client().model("builtin:shapes").getNetwork().getLayersCount();
  }

  /**
   * Runs a command on these services, see {@link Captured#run(String, Object...)}; one that starts
   * services of its own is not for here.
   */
  Captured run(String line, Object... values) {
    return run(Words.of(line, values));
  }

  Captured run(List<String> words) {
    List<String> all = new ArrayList<>(words);
    all.addAll(List.of("--server", url().toString()));
    return Captured.run(all);
  }
}
