package dev.haq.quantizer.mutation;

import dev.haq.quantizer.data.NumberArrays;
import dev.haq.quantizer.data.Samples;
import java.awt.image.BufferedImage;
import java.nio.ByteBuffer;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.zip.CRC32;

/** Damaged data: images, arrays and archives that lie about what they hold. */
final class DataDamage {
  private DataDamage() {}

  static byte[] of(Random random) {
    return switch (random.nextInt(12)) {
      case 0 -> folders(ByteDamage.of(Samples.png(9, 7, 0x123456), random), random);
      case 1 -> folders(ByteDamage.of(jpeg(), random), random);
      case 2 -> folders(lyingPng(random), random);
      case 3 -> folders(lyingJpeg(random), random);
      case 4 -> ByteDamage.of(Samples.zip(Samples.cats()), random);
      case 5 -> NumberArrays.gzip(ByteDamage.of(tar(), random));
      case 6 -> ByteDamage.of(NumberArrays.tarGz(Samples.cats()), random);
      case 7 -> arrays(random);
      case 8 -> idx(random);
      case 9 -> paths(random);
      case 10 -> bomb(random);
      default -> ByteDamage.of(Samples.cifar(1, 2, 3), random);
    };
  }

  private static byte[] folders(byte[] image, Random random) {
    Map<String, byte[]> files = Samples.cats();
    files.put("cat/odd" + (random.nextBoolean() ? ".png" : ".jpg"), image);
    return random.nextBoolean() ? Samples.zip(files) : NumberArrays.tarGz(files);
  }

  private static byte[] jpeg() {
    return Samples.encode(new BufferedImage(40, 30, BufferedImage.TYPE_INT_RGB), "jpg");
  }

  /** A sound checksum over a head that says another size, depth or kind. */
  private static byte[] lyingPng(Random random) {
    byte[] png = Samples.png(9, 7, 0x123456);
    ByteBuffer bytes = ByteBuffer.wrap(png);
    bytes.putInt(16 + 4 * random.nextInt(2), 1 << random.nextInt(32));
    png[24 + random.nextInt(5)] =
        (byte) (random.nextBoolean() ? 1 << random.nextInt(8) : random.nextInt(8));
    CRC32 crc = new CRC32();
    crc.update(png, 12, 17);
    bytes.putInt(29, (int) crc.getValue());
    return png;
  }

  private static byte[] lyingJpeg(Random random) {
    byte[] jpeg = jpeg();
    for (int i = 0; i + 9 < jpeg.length; i++) {
      if ((jpeg[i] & 0xFF) == 0xFF && (jpeg[i + 1] & 0xFF) == 0xC0) {
        ByteBuffer.wrap(jpeg).putShort(i + 5 + 2 * random.nextInt(2), (short) random.nextInt());
        jpeg[i + 9] = (byte) (random.nextBoolean() ? jpeg[i + 9] : random.nextInt(6));
      }
    }
    return jpeg;
  }

  private static byte[] tar() {
    try (var gzip =
        new java.util.zip.GZIPInputStream(
            new java.io.ByteArrayInputStream(NumberArrays.tarGz(Samples.cats())))) {
      return gzip.readAllBytes();
    } catch (java.io.IOException e) {
      throw new AssertionError(e);
    }
  }

  private static byte[] arrays(Random random) {
    List<String> types = List.of("|u1", "<i8", ">i4", "<f4", "|O", "<U9", "<c8", "|b1", "<u3");
    List<String> shapes =
        List.of(
            "(3, 2, 2)",
            "()",
            "(3,)",
            "(-3, 2, 2)",
            "(3, 0, 2)",
            "(2147483647, 2147483647, 9)",
            "(99999999999999999999,)",
            "(3, 2, 2, 3)",
            "(3, 2, 2, 1, 1, 1, 1)",
            "(1000000, 1000, 1000)");
    byte[] images =
        NumberArrays.npy(
            random.nextInt(3) > 0 ? "|u1" : types.get(random.nextInt(types.size())),
            shapes.get(random.nextInt(shapes.size())),
            new byte[12]);
    byte[] labels =
        NumberArrays.npy(
            types.get(random.nextInt(types.size())),
            random.nextInt(3) > 0 ? "(3,)" : shapes.get(random.nextInt(shapes.size())),
            noise(random, 24));
    if (random.nextBoolean()) {
      images = ByteDamage.of(images, random);
    }
    byte[] npz = NumberArrays.npz(images, labels);
    return random.nextBoolean() ? npz : ByteDamage.of(npz, random);
  }

  private static byte[] idx(Random random) {
    byte[] images = NumberArrays.idx(new byte[12], 3, 2, 2);
    byte[] labels = NumberArrays.idx(noise(random, 3), 3);
    ByteBuffer.wrap(images).putInt(4 * random.nextInt(4), (int) ByteDamage.extreme(random));
    if (random.nextBoolean()) {
      ByteBuffer.wrap(labels).putInt(4, (int) ByteDamage.extreme(random));
    }
    Map<String, byte[]> files = new LinkedHashMap<>();
    files.put("a-images-idx3-ubyte.gz", random.nextBoolean() ? NumberArrays.gzip(images) : images);
    files.put("a-labels-idx1-ubyte", labels);
    byte[] zip = Samples.zip(files);
    return random.nextBoolean() ? zip : ByteDamage.of(zip, random);
  }

  private static byte[] paths(Random random) {
    List<String> names =
        List.of(
            "../evil.png",
            "/etc/evil.png",
            "a/../../b.png",
            "C:/x.png",
            "a\\..\\b.png",
            "a//b.png",
            "./a/b.png",
            "\u0000/b.png",
            "a/b/c/d.png",
            "cat/.png",
            "é\uD83D\uDE00/1.png",
            "..",
            "cat/" + "d".repeat(5000) + ".png",
            "classes.txt/1.png",
            "preprocess.yaml");
    Map<String, byte[]> files = Samples.cats();
    for (int i = random.nextInt(3); i >= 0; i--) {
      files.put(names.get(random.nextInt(names.size())), Samples.png(2, 2, 0));
    }
    if (random.nextInt(3) == 0) {
      files.put("classes.txt", noise(random, 200));
    }
    return random.nextBoolean() ? Samples.zip(files) : NumberArrays.tarGz(files);
  }

  private static byte[] bomb(Random random) {
    Map<String, byte[]> files = Samples.cats();
    byte[] zeros = new byte[4 << 20];
    files.put("cat/zeros.png", random.nextBoolean() ? zeros : NumberArrays.gzip(zeros));
    byte[] packed = random.nextBoolean() ? Samples.zip(files) : NumberArrays.tarGz(files);
    return random.nextInt(3) == 0 ? NumberArrays.gzip(packed) : packed;
  }

  private static byte[] noise(Random random, int count) {
    byte[] bytes = new byte[count];
    random.nextBytes(bytes);
    return bytes;
  }
}
