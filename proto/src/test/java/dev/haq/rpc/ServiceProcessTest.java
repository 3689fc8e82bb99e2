package dev.haq.rpc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.haq.model.HaqException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A service that does not start, in a process of its own. */
@Timeout(60)
final class ServiceProcessTest {
  @TempDir Path folder;

  /** In what way it fails. */
  record Sample(String failure) {}

  @ParameterizedTest
  @CsvSource({
    "settings, 2, give another",
    "fault, 1, the service does not start: java.lang.IllegalStateException: first second",
    "library, 1, the service does not start: java.lang.UnsatisfiedLinkError: no such library",
  })
  void aServiceThatDoesNotStartSaysWhyInOneLineAndEnds(String failure, int status, String expected)
      throws Exception {
    Path settings = Files.writeString(folder.resolve("settings.yaml"), "failure: " + failure);
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                System.getProperty("java.class.path"),
                Failing.class.getName(),
                "--config",
                settings.toString())
            .redirectErrorStream(true)
            .start();
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertTrue(process.waitFor(30, TimeUnit.SECONDS), said);
    assertEquals(status, process.exitValue(), said);
    assertEquals(1, said.lines().filter(line -> line.contains(expected)).count(), said);
    assertTrue(!said.contains("\tat "), said);
  }

  /** Fails in the way that its settings say. */
  static final class Failing {
    public static void main(String[] args) {
      ServiceProcess.run(
          args,
          Sample.class,
          "none",
          (runtime, settings) -> {
            throw failure(settings.failure());
          });
    }

    private static RuntimeException failure(String kind) {
      return switch (kind) {
        case "settings" -> HaqException.invalid("give another");
        case "library" -> throw new UnsatisfiedLinkError("no such library");
        default -> new IllegalStateException("first\n  second");
      };
    }
  }
}
