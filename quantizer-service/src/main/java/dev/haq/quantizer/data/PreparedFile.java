package dev.haq.quantizer.data;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.BitSet;
import java.util.Optional;
import java.util.zip.CRC32C;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The prepared pixels of a dataset's images in a file with a place for each, filled as they are
 * wanted: most of it is a hole until then. A record is its pixels and a checksum of them and the
 * image's number, so what another process wrote half, or a disk damaged, is prepared again. Several
 * processes may write at once: they write the same. One file is opened, once: whatever comes to lie
 * at its path later, what is found, written and read is in the same. Thread-safe.
 */
final class PreparedFile implements Pixels, AutoCloseable {
  private static final int CHECKSUM_BYTES = Integer.BYTES;
  private static final Logger LOG = LoggerFactory.getLogger(PreparedFile.class);

  private final Path file; // for messages
  private final FileChannel channel;
  private final int pixelBytes;
  private final MappedRecords records;
  private final BitSet checked;

  private PreparedFile(Path file, FileChannel channel, int pixelBytes, MappedRecords records) {
    this.file = file;
    this.channel = channel;
    this.pixelBytes = pixelBytes;
    this.records = records;
    this.checked = new BitSet(records.count());
  }

  /** Opens the file, or makes it. */
  static PreparedFile open(Path file, int images, int pixelBytes) throws IOException {
    int recordBytes = pixelBytes + CHECKSUM_BYTES;
    long size = (long) images * recordBytes;
    FileChannel channel =
        FileChannel.open(
            file, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
    try {
      if (channel.size() < size) {
        channel.write(ByteBuffer.allocate(1), size - 1);
      }
      MappedRecords records = MappedRecords.of(channel, 0, recordBytes, images);
      return new PreparedFile(file, channel, pixelBytes, records);
    } catch (IOException e) {
      channel.close();
      throw e;
    }
  }

  static long bytes(int images, int pixelBytes) {
    return (long) images * (pixelBytes + CHECKSUM_BYTES);
  }

  /** Whether the image's pixels are there and whole. */
  boolean has(int image) {
    synchronized (checked) {
      if (checked.get(image)) {
        return true;
      }
    }
    byte[] record = stored(image);
    if (ByteBuffer.wrap(record).getInt(pixelBytes) != checksum(image, record)) {
      return false;
    }
    note(image);
    return true;
  }

  /**
   * A record that may be a hole; zeros where it cannot be read. Not read through the mapping: some
   * file systems then fill the hole, and end the read with a signal when they are full.
   */
  private byte[] stored(int image) {
    ByteBuffer record = ByteBuffer.allocate(records.recordBytes());
    long place = (long) image * records.recordBytes();
    try {
      while (record.hasRemaining()) {
        int read = channel.read(record, place + record.position());
        if (read < 0) {
          break;
        }
      }
    } catch (IOException e) {
      LOG.debug("an image in {} cannot be read and is prepared again", file, e);
    }
    return record.array();
  }

  private void note(int image) {
    synchronized (checked) {
      checked.set(image);
    }
  }

  @Override
  public void read(int image, byte[] target, int at) {
    records.read(image, 0, target, at, pixelBytes);
  }

  private int checksum(int image, byte[] pixels) {
    CRC32C crc = new CRC32C();
    crc.update(ByteBuffer.allocate(Integer.BYTES).putInt(0, image));
    crc.update(pixels, 0, pixelBytes);
    return (int) crc.getValue();
  }

  int recordBytes() {
    return records.recordBytes();
  }

  private void write(int image, byte[] pixels) throws IOException {
    ByteBuffer record = ByteBuffer.allocate(records.recordBytes());
    record.put(pixels).putInt(checksum(image, pixels)).flip();
    long place = (long) image * records.recordBytes();
    while (record.hasRemaining()) {
      place += channel.write(record, place);
    }
    note(image);
  }

  /** What is in the file stays readable; nothing more is found in it or written to it. */
  @Override
  public void close() {
    try {
      channel.close();
    } catch (IOException e) {
      LOG.warn("prepared images in {} may not be kept", file, e);
    }
  }

  /**
   * Puts images in their places, for as long as the disk takes them: what it refuses is left out.
   * Many threads may write.
   */
  static final class Filler {
    private final Optional<PreparedFile> file;
    private volatile boolean whole;

    /**
     * @param file empty to leave all out
     */
    Filler(Optional<PreparedFile> file) {
      this.file = file;
      this.whole = file.isPresent();
    }

    void write(int image, byte[] pixels) {
      if (!whole) {
        return;
      }
      try {
        file.orElseThrow().write(image, pixels);
      } catch (IOException e) {
        whole = false;
        LOG.warn("prepared images cannot be written to {}", file.orElseThrow().file, e);
      }
    }

    /** Whether nothing was left out so far. */
    boolean isWhole() {
      return whole;
    }
  }
}
