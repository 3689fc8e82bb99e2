package dev.haq.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.haq.standalone.Standalone;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Files that describe a machine and are wrong: errors name the option, the file and the place. */
class DescribedTargetTest {
  @TempDir static Path folder;
  private static Standalone standalone;
  private static String shipped;

  @BeforeAll
  static void start() {
    standalone =
        Standalone.start(
            Standalone.Options.inside(
                folder.resolve("data"), Optional.of(folder.resolve("sessions"))));
    shipped = run("targets", "--show", "variable-bit-npu").out();
  }

  @AfterAll
  static void stop() {
    standalone.close();
  }

  @Test
  void aWrongFigureIsSaidWithTheOptionAndTheFile() throws IOException {
    String file = write("mine.yaml", shipped.replace("padding: false", "padding: no way"));
    String expected = file + ": key roofline.padding: no way is not true or false";
    assertRefused("--target " + expected, simulate(file));
    assertRefused("--target " + expected, search("--target", file));
    assertRefused(
        "--further-target " + expected,
        search("--target", "bismo-edge", "--further-target", file + "=0.9"));
  }

  @Test
  void aFileThatIsNoYamlIsSaidWithItsLine() throws IOException {
    String file = write("broken.yaml", shipped.replace("weight_bits: [2", "weight_bits: {[2"));
    assertRefused("--target " + file + ", line ", simulate(file));
    assertRefused(
        "--further-target " + file + ", line ",
        search("--target", "bismo-edge", "--further-target", file));
  }

  @Test
  void aFileThatDoesNotExistOrIsNoTextIsSaidSo() throws IOException {
    String gone = folder.resolve("gone.yaml").toString();
    assertRefused("--target " + gone + ": there is no such file", simulate(gone));
    Path file = folder.resolve("latin.yaml");
    Files.write(file, "name: m\u00fcller\n".getBytes(StandardCharsets.ISO_8859_1));
    assertRefused("--target " + file + " is not text in UTF-8", simulate(file.toString()));
  }

  @Test
  void aWrongOverrideOfADescriptionNamesItsFile() throws IOException {
    String file = write("good.yaml", shipped);
    assertEquals(0, simulate(file).status());
    assertRefused("--target " + file + ": key clock", simulate(file, "--set", "clock=1e9"));
  }

  private static String write(String name, String text) throws IOException {
    return Files.writeString(folder.resolve(name), text).toString();
  }

  private static void assertRefused(String expected, Captured run) {
    assertEquals(2, run.status(), run.err());
    assertEquals(1, run.complaints().size(), run.err());
    assertTrue(run.complaints().get(0).contains(expected), run.err());
    assertFalse(run.err().contains("java."), run.err());
  }

  private static Captured simulate(String target, String... more) {
    List<String> all =
        new ArrayList<>(
            List.of("simulate", "--model", "builtin:shapes", "--bits", "4,8", "--target", target));
    all.addAll(List.of(more));
    return run(all.toArray(String[]::new));
  }

  private static Captured search(String... targets) {
    List<String> all =
        new ArrayList<>(List.of("search", "--model", "builtin:shapes", "--data", "builtin:shapes"));
    all.addAll(List.of("--budget", "0.9", "--out", folder.resolve("out").toString()));
    all.addAll(List.of(targets));
    return run(all.toArray(String[]::new));
  }

  private static Captured run(String... args) {
    List<String> all = new ArrayList<>(List.of(args));
    all.addAll(List.of("--server", standalone.url().toString()));
    return Captured.run(all.toArray(String[]::new));
  }
}
