package dev.haq.cli;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** {@code --out} of the commands that write one file. */
class OutOptionTest {
  @RegisterExtension static final Services services = new Services();

  @TempDir static Path folder;

  @Test
  void anOutThatCannotBeWrittenIsRefusedBeforeAnythingIsDone() throws IOException {
    Path empty = Files.createDirectories(folder.resolve("empty.onnx"));
    services
        .run(
            "export --model builtin:shapes --format onnx --out %s --bits 8,8 --data nowhere", empty)
        .assertRefused("is a folder: give the name of a file");
    assertTrue(Files.isDirectory(empty));

    Path below = Files.writeString(folder.resolve("file"), "text").resolve("x.csv");
    for (String command :
        List.of(
            "export --format csv --bits 8,8",
            "table --target bismo-edge",
            "sensitivity --data nowhere")) {
      services
          .run(command + " --model builtin:shapes --out %s", below)
          .assertRefused("file is not a folder: name a file in one");
    }
  }
}
