package dev.haq.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The script {@code haq} at the root of the checkout. */
@Timeout(60)
final class LauncherTest {
  private static final Path SCRIPT = Path.of("../../haq").toAbsolutePath().normalize();

  @TempDir Path temporary;

  @ParameterizedTest
  @ValueSource(strings = {"Darwin arm64", "Linux aarch64"})
  void anotherPlatformIsRefusedInOneSentenceThatSaysWhatToDo(String platform) throws Exception {
    ProcessBuilder haq =
        new ProcessBuilder("/bin/sh", SCRIPT.toString(), "targets").redirectErrorStream(true);
    haq.environment().put("PATH", machineOf(platform) + ":" + System.getenv("PATH"));
    Process process = haq.start();
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertEquals(1, process.waitFor(), said);
    assertEquals(1, said.lines().count(), said);
    assertTrue(said.contains("Linux on x86-64") && said.contains(platform), said);
    assertTrue(said.contains("--platform linux/amd64"), said);
  }

  /** A folder whose {@code uname} answers this. */
  private Path machineOf(String platform) throws IOException {
    Path uname = temporary.resolve("uname");
    Files.writeString(uname, "#!/bin/sh\necho '" + platform + "'\n");
    Files.setPosixFilePermissions(uname, PosixFilePermissions.fromString("rwxr-xr-x"));
    return temporary;
  }
}
