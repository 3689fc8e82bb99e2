package dev.haq.cli;

import dev.haq.quantizer.builtin.BuiltinShapes;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Images like the built-in ones that none of their parts holds, as a CIFAR-10 file. */
final class ShapesFile {
  private ShapesFile() {}

  /**
   * Writes a file, and beside it how its images are prepared.
   *
   * @param folder of its own
   * @param first number of its first image
   */
  static Path write(Path folder, int first, int images) throws IOException {
    Files.createDirectories(folder);
    ByteArrayOutputStream records = new ByteArrayOutputStream();
    for (int i = 0; i < images; i++) {
      long number = BuiltinShapes.FIRST_TRAINING_IMAGE + first + i;
      records.write(BuiltinShapes.label(number));
      records.write(BuiltinShapes.image(number));
    }
    Files.writeString(
        folder.resolve("preprocess.yaml"),
        "mean: [127.5, 127.5, 127.5]\nstd: [64.0, 64.0, 64.0]\nchannels: RGB\n");
    return Files.write(folder.resolve("shapes.bin"), records.toByteArray());
  }
}
