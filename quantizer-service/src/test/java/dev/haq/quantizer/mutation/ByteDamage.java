package dev.haq.quantizer.mutation;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Random;

/** Damage to a file that knows nothing of its format. */
final class ByteDamage {
  private static final long[] EXTREMES = {
    0,
    1,
    -1,
    127,
    128,
    255,
    65535,
    Integer.MAX_VALUE,
    Integer.MIN_VALUE,
    Long.MAX_VALUE,
    Long.MIN_VALUE
  };

  private ByteDamage() {}

  /** The file with one to three damages. */
  static byte[] of(byte[] file, Random random) {
    byte[] damaged = file.clone();
    for (int i = random.nextInt(3); i >= 0 && damaged.length > 8; i--) {
      damaged = once(damaged, random);
    }
    return damaged;
  }

  static long extreme(Random random) {
    return random.nextInt(4) == 0 ? random.nextLong() : EXTREMES[random.nextInt(EXTREMES.length)];
  }

  private static byte[] once(byte[] file, Random random) {
    int at = random.nextInt(file.length);
    int length = 1 + random.nextInt(Math.min(64, file.length - at));
    return switch (random.nextInt(7)) {
      case 0 -> Arrays.copyOf(file, at); // cut off
      case 1 -> flipped(file, random);
      case 2 -> number(file, at, random);
      case 3 -> joined(file, at, file, at + length); // some bytes left out
      case 4 -> joined(file, at + length, file, at); // some bytes twice
      case 5 -> {
        byte[] noise = new byte[length];
        random.nextBytes(noise);
        yield replaced(file, at, noise);
      }
      default -> replaced(file, at, new byte[length]);
    };
  }

  private static byte[] flipped(byte[] file, Random random) {
    for (int i = random.nextInt(16); i >= 0; i--) {
      file[random.nextInt(file.length)] ^= (byte) (1 << random.nextInt(8));
    }
    return file;
  }

  /** A number of 2, 4 or 8 bytes that is not what it was: a size, an offset, a count. */
  private static byte[] number(byte[] file, int at, Random random) {
    ByteBuffer number =
        ByteBuffer.allocate(8)
            .order(random.nextBoolean() ? ByteOrder.BIG_ENDIAN : ByteOrder.LITTLE_ENDIAN)
            .putLong(0, extreme(random));
    return replaced(file, at, Arrays.copyOf(number.array(), 2 << random.nextInt(3)));
  }

  private static byte[] replaced(byte[] file, int at, byte[] bytes) {
    System.arraycopy(bytes, 0, file, at, Math.min(bytes.length, file.length - at));
    return file;
  }

  private static byte[] joined(byte[] front, int until, byte[] back, int from) {
    byte[] whole = Arrays.copyOf(front, until + back.length - from);
    System.arraycopy(back, from, whole, until, back.length - from);
    return whole;
  }
}
