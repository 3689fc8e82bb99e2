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
import org.junit.jupiter.params.provider.CsvSource;
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

  @ParameterizedTest
  @CsvSource({
    "'', C, '', /C.UTF-8",
    "'', C, C, C.UTF-8/C.UTF-8",
    "'', '', POSIX, C.UTF-8/C.UTF-8",
    "C.UTF-8, C, '', /C.UTF-8",
    "'', C.UTF-8, '', /",
    "'', '', C.UTF-8, C.UTF-8/",
  })
  void javaReadsNamesInUtf8WhereTheLocaleSaysNothing(
      String characters, String language, String all, String expected) throws Exception {
    // A checkout that is built, and a Java that says the locale it is run in.
    Path haq = Files.copy(SCRIPT, temporary.resolve("haq"));
    Path target = Files.createDirectories(temporary.resolve("deploy/standalone/target"));
    Files.createDirectories(target.resolve("lib"));
    Files.createFile(target.resolve("haq-built"));
    Files.createFile(target.resolve("standalone-1.jar"));
    script(
        Files.createDirectories(temporary.resolve("jdk/bin")).resolve("java"),
        "if [ \"$1\" = -version ]; then echo 'openjdk version \"17.0.1\"';"
            + " else echo \"${LC_ALL:-}/${LC_CTYPE:-}\"; fi");
    ProcessBuilder launched =
        new ProcessBuilder("/bin/sh", haq.toString(), "targets").redirectErrorStream(true);
    launched.environment().put("JAVA_HOME", temporary.resolve("jdk").toString());
    launched.environment().put("LC_CTYPE", characters);
    launched.environment().put("LANG", language);
    launched.environment().put("LC_ALL", all);
    Process process = launched.start();
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertEquals(expected, said.strip());
  }

  /** A folder whose {@code uname} answers this. */
  private Path machineOf(String platform) throws IOException {
    script(temporary.resolve("uname"), "echo '" + platform + "'");
    return temporary;
  }

  private static void script(Path file, String command) throws IOException {
    Files.writeString(file, "#!/bin/sh\n" + command + "\n");
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
  }
}
