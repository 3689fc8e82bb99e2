package dev.haq.quantizer.data;

import dev.haq.model.DataSelection;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Assumptions;

/** Small real files for the tests of this package. */
public final class Samples {
  private static final int CIFAR_BYTES = CifarBinary.Layout.CIFAR10.recordBytes();

  private Samples() {}

  /** A PNG of one colour. */
  public static byte[] png(int width, int height, int rgb) {
    BufferedImage image = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
    for (int y = 0; y < height; y++) {
      for (int x = 0; x < width; x++) {
        image.setRGB(x, y, rgb);
      }
    }
    return encode(image, "png");
  }

  public static byte[] encode(BufferedImage image, String format) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try {
      ImageIO.write(image, format, bytes);
    } catch (IOException e) {
      throw new AssertionError(e);
    }
    return bytes.toByteArray();
  }

  /** A zip of the given files in the given order; a name that ends with a slash is a folder. */
  public static byte[] zip(Map<String, byte[]> files) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (ZipOutputStream zip = new ZipOutputStream(bytes)) {
      for (Map.Entry<String, byte[]> file : files.entrySet()) {
        zip.putNextEntry(new ZipEntry(file.getKey()));
        zip.write(file.getValue());
        zip.closeEntry();
      }
    } catch (IOException e) {
      throw new AssertionError(e);
    }
    return bytes.toByteArray();
  }

  /** Two folders, cat and dog, of three 4x4 images each. */
  public static Map<String, byte[]> cats() {
    Map<String, byte[]> files = new LinkedHashMap<>();
    for (int i = 0; i < 3; i++) {
      files.put("cat/" + i + ".png", png(4, 4, 0x100000 * (i + 1)));
      files.put("dog/" + i + ".png", png(4, 4, 0x001000 * (i + 1)));
    }
    return files;
  }

  /** CIFAR-10 records with the given labels; record i has all bytes i. */
  public static byte[] cifar(int... labels) {
    byte[] bytes = new byte[labels.length * CIFAR_BYTES];
    for (int i = 0; i < labels.length; i++) {
      int from = i * CIFAR_BYTES;
      java.util.Arrays.fill(bytes, from, from + CIFAR_BYTES, (byte) i);
      bytes[from] = (byte) labels[i];
    }
    return bytes;
  }

  static byte[] text(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  static DatasetInfo store(DatasetStore store, byte[] content) {
    try (DatasetUpload upload = store.upload("sample", Optional.empty(), Optional.empty())) {
      upload.write(ByteBuffer.wrap(content));
      return upload.finish(() -> false);
    }
  }

  /** Images for a model, however long their decoding takes. */
  static LabelledImages images(
      Datasets datasets, DataSelection selection, int channels, int height, int width) {
    return datasets.images(selection, channels, height, width, () -> false);
  }

  /** A file of the shared data; the test is skipped, saying so, where it is absent. */
  static Path shared(String path) {
    String root = System.getProperty("haq.shared", "");
    Path file = Path.of(root, "data", path);
    Assumptions.assumeTrue(
        !root.isEmpty() && file.toFile().exists(), () -> "no shared data: " + file);
    return file;
  }
}
