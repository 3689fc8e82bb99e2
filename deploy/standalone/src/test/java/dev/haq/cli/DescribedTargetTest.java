package dev.haq.cli;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** Files that describe a machine and are wrong: errors name the option, the file and the place. */
class DescribedTargetTest {
  @RegisterExtension static final Services services = new Services();

  @TempDir static Path folder;
  private static String shipped;

  @BeforeAll
  static void show() {
    shipped = services.run("targets --show variable-bit-npu").done().out();
  }

  @Test
  void aWrongFigureIsSaidWithTheOptionAndTheFile() throws IOException {
    String file = write("mine.yaml", shipped.replace("padding: false", "padding: no way"));
    String expected = file + ": key roofline.padding: no way is not true or false";
    simulate(file).assertRefused("--target " + expected);
    search("--target " + file).assertRefused("--target " + expected);
    search("--target bismo-edge --further-target " + file + "=0.9")
        .assertRefused("--further-target " + expected);
  }

  @Test
  void aFileThatIsNoYamlIsSaidWithItsLine() throws IOException {
    String file = write("broken.yaml", shipped.replace("weight_bits: [2", "weight_bits: {[2"));
    simulate(file).assertRefused("--target " + file + ", line ");
    search("--target bismo-edge --further-target " + file)
        .assertRefused("--further-target " + file + ", line ");
  }

  @Test
  void aFileThatDoesNotExistOrIsNoTextIsSaidSo() throws IOException {
    String gone = folder.resolve("gone.yaml").toString();
    simulate(gone).assertRefused("--target " + gone + ": there is no such file");
    Path file = folder.resolve("latin.yaml");
    Files.write(file, "name: m\u00fcller\n".getBytes(StandardCharsets.ISO_8859_1));
    simulate(file.toString()).assertRefused("--target " + file + " is not text in UTF-8");
  }

  @Test
  void aWrongOverrideOfADescriptionNamesItsFile() throws IOException {
    String file = write("good.yaml", shipped);
    simulate(file).done();
    simulate(file + " --set clock=1e9").assertRefused("--target " + file + ": key clock");
  }

  @Test
  void aSecondDescriptionInTheSameFileIsRefused() throws IOException {
    String file = write("two.yaml", shipped + "---\n" + shipped);
    simulate(file).assertRefused("--target " + file + ": a second document begins at line ");
  }

  @Test
  void anOverrideGivenTwiceIsRefused() {
    simulate("bismo-edge --set clock_hz=1e9 --set clock_hz=2e9")
        .assertRefused("--set clock_hz=2e9: clock_hz was given before, as clock_hz=1e9: leave one");
    simulate("bismo-edge --set clock_hz").assertRefused("--set clock_hz: give KEY=VALUE, such as");
    search("--target bismo-edge --also energy=0.5 --also energy=0.6")
        .assertRefused("--also energy=0.6: energy was given before");
  }

  private static String write(String name, String text) throws IOException {
    return Files.writeString(folder.resolve(name), text).toString();
  }

  private static Captured simulate(String target) {
    return services.run("simulate --model builtin:shapes --bits 4,8 --target " + target);
  }

  private static Captured search(String targets) {
    return services.run(
        "search --model builtin:shapes --data builtin:shapes --budget 0.9 --out %s " + targets,
        folder.resolve("out"));
  }
}
