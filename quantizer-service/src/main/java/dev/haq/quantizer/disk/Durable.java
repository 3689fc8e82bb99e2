package dev.haq.quantizer.disk;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** Files that are to outlast a power cut. */
public final class Durable {
  private Durable() {}

  /**
   * Brings what was written to a file to the disk. To be done before it gets its name: a crash may
   * otherwise leave the name on a file that is empty or cut off.
   */
  public static void force(Path file) throws IOException {
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
      channel.force(true);
    }
  }
}
