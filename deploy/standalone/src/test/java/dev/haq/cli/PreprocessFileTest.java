package dev.haq.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.haq.model.HaqException;
import dev.haq.model.Preprocessing;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PreprocessFileTest {
  @TempDir Path folder;

  @Test
  void theOptionIsAPresetOrAFile() throws IOException {
    Path file = Files.writeString(folder.resolve("own.yaml"), "preset: imagenet\ncrop: 192\n");
    assertEquals(Preprocessing.preset("tensorflow"), PreprocessFile.option("tensorflow"));
    assertEquals(192, PreprocessFile.option(file.toString()).cropHeight());
  }

  @Test
  void everyPresetIsTakenAndNamedByTheHelp() {
    String help = Captured.run("search --help").out().replaceAll("\\s+", " ");
    assertTrue(Preprocessing.presets().contains("mnist"));
    for (String preset : Preprocessing.presets()) {
      assertEquals(Preprocessing.preset(preset), PreprocessFile.option(preset));
    }
    assertTrue(help.contains(String.join(", ", Preprocessing.presets()) + ", or a YAML"), help);
  }

  @Test
  void aFileBesideTheDataIsFoundUnderEachOfItsNames() throws IOException {
    assertEquals(Optional.empty(), PreprocessFile.beside(folder));
    Files.writeString(folder.resolve("preprocess.json"), "{\"preset\": \"cifar10\"}");
    assertEquals(Optional.of(Preprocessing.preset("cifar10")), PreprocessFile.beside(folder));
    Files.writeString(folder.resolve("preprocess.yaml"), "preset: imagenet");
    assertEquals(Optional.of(Preprocessing.preset("imagenet")), PreprocessFile.beside(folder));
  }

  @Test
  void whatIsNeitherIsRefusedByName() {
    HaqException e = assertThrows(HaqException.class, () -> PreprocessFile.option("nowhere.yaml"));
    assertTrue(e.getMessage().contains("nowhere.yaml"), e.getMessage());
  }
}
