package dev.haq.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import dev.haq.quantizer.builtin.BuiltinShapes;
import java.awt.image.BufferedImage;
import java.io.BufferedOutputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.TreeMap;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import javax.imageio.ImageIO;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;
import org.apache.commons.compress.compressors.gzip.GzipCompressorOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** Pictures in archives, through the command and the four services. */
class ArchivesTest {
  private static final int IMAGES = 60;
  private static final int AREA = BuiltinShapes.SIDE * BuiltinShapes.SIDE;

  @RegisterExtension static final Services services = new Services();

  @TempDir static Path folder;

  @Test
  void aTarGzIsEvaluatedAndSearchedAsAZipOfTheSamePicturesIs() throws IOException {
    Map<String, byte[]> files = pictures();
    Path zip = zip(files);
    Path tarGz = tarGz(files);
    JsonNode zipped = evaluate(zip).done().json();
    assertEquals(IMAGES, zipped.at("/float/images").asInt(), zipped.toString());
    assertTrue(zipped.at("/float/top1").asDouble() > 70, zipped.toString());
    assertEquals(zipped.get("float"), evaluate(tarGz).done().json().get("float"));
    Captured search =
        services
            .run(
                """
                search --model builtin:shapes --data %s --target bismo-edge --budget 0.7
                --agent random --episodes 2 --images 20 --out %s
                """,
                tarGz, folder.resolve("out"))
            .done();
    assertEquals(2, search.episodes().size(), search.out());

    Path cut = folder.resolve("cut.tar.gz");
    Files.write(cut, Arrays.copyOf(Files.readAllBytes(tarGz), 10_000));
    evaluate(cut).assertRefused("it ends too early; pack and send it again");
  }

  private static Captured evaluate(Path data) {
    return services.run("evaluate --model builtin:shapes --data %s --json", data);
  }

  private static Map<String, byte[]> pictures() throws IOException {
    Map<String, byte[]> files = new TreeMap<>();
    files.put(
        "preprocess.yaml",
        "mean: [127.5, 127.5, 127.5]\nstd: [64, 64, 64]\n".getBytes(StandardCharsets.UTF_8));
    for (int i = 0; i < IMAGES; i++) {
      long number = BuiltinShapes.Part.HELD_OUT.image(i);
      files.put(BuiltinShapes.label(number) + "/" + i + ".png", png(BuiltinShapes.image(number)));
    }
    return files;
  }

  /**
   * @param planes red, green and blue
   */
  private static byte[] png(byte[] planes) throws IOException {
    BufferedImage image =
        new BufferedImage(BuiltinShapes.SIDE, BuiltinShapes.SIDE, BufferedImage.TYPE_INT_RGB);
    for (int i = 0; i < AREA; i++) {
      int rgb =
          (planes[i] & 0xFF) << 16 | (planes[AREA + i] & 0xFF) << 8 | (planes[2 * AREA + i] & 0xFF);
      image.setRGB(i % BuiltinShapes.SIDE, i / BuiltinShapes.SIDE, rgb);
    }
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    ImageIO.write(image, "png", bytes);
    return bytes.toByteArray();
  }

  private static Path zip(Map<String, byte[]> files) throws IOException {
    Path path = folder.resolve("pictures.zip");
    try (ZipOutputStream zip = new ZipOutputStream(Files.newOutputStream(path))) {
      for (Map.Entry<String, byte[]> file : files.entrySet()) {
        zip.putNextEntry(new ZipEntry(file.getKey()));
        zip.write(file.getValue());
        zip.closeEntry();
      }
    }
    return path;
  }

  /** As {@code tar czf} of a folder does it, whose name comes first in every path. */
  private static Path tarGz(Map<String, byte[]> files) throws IOException {
    Path path = folder.resolve("pictures.tar.gz");
    try (TarArchiveOutputStream tar =
        new TarArchiveOutputStream(
            new GzipCompressorOutputStream(
                new BufferedOutputStream(Files.newOutputStream(path))))) {
      for (Map.Entry<String, byte[]> file : files.entrySet()) {
        TarArchiveEntry entry = new TarArchiveEntry("./pictures/" + file.getKey());
        entry.setSize(file.getValue().length);
        tar.putArchiveEntry(entry);
        tar.write(file.getValue());
        tar.closeArchiveEntry();
      }
    }
    return path;
  }
}
