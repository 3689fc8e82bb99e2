package dev.haq.quantizer.data;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.BitSet;
import java.util.zip.CRC32C;

/**
 * The prepared pixels of a dataset's images in a file with a place for each, filled as they are
 * wanted: most of it is a hole until then. A record is its pixels and a checksum of them and the
 * image's number, so what another process wrote half, or a disk damaged, is prepared again. Several
 * processes may write at once: they write the same. Thread-safe.
 */
final class PreparedFile {
  private static final int CHECKSUM_BYTES = Integer.BYTES;

  private final Path file;
  private final int pixelBytes;
  private final MappedRecords records;
  private final BitSet checked;

  private PreparedFile(Path file, int pixelBytes, MappedRecords records) {
    this.file = file;
    this.pixelBytes = pixelBytes;
    this.records = records;
    this.checked = new BitSet(records.count());
  }

  /** Opens the file, or makes it. */
  static PreparedFile open(Path file, int images, int pixelBytes) throws IOException {
    int recordBytes = pixelBytes + CHECKSUM_BYTES;
    long size = (long) images * recordBytes;
    try (FileChannel channel =
        FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
      if (channel.size() < size) {
        channel.write(ByteBuffer.allocate(1), size - 1);
      }
    }
    return new PreparedFile(file, pixelBytes, MappedRecords.open(file, 0, recordBytes, images));
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
    byte[] record = new byte[records.recordBytes()];
    records.read(image, 0, record, 0, record.length);
    if (ByteBuffer.wrap(record).getInt(pixelBytes) != checksum(image, record)) {
      return false;
    }
    note(image);
    return true;
  }

  private void note(int image) {
    synchronized (checked) {
      checked.set(image);
    }
  }

  /** Opens the file for {@link Writer#write}, which many threads may call. */
  Writer writer() throws IOException {
    return new Writer(FileChannel.open(file, StandardOpenOption.WRITE));
  }

  /** Copies {@code length} bytes of an image's pixels, from byte {@code from} on. */
  void read(int image, int from, byte[] target, int at, int length) {
    records.read(image, from, target, at, length);
  }

  private int checksum(int image, byte[] pixels) {
    CRC32C crc = new CRC32C();
    crc.update(ByteBuffer.allocate(Integer.BYTES).putInt(0, image));
    crc.update(pixels, 0, pixelBytes);
    return (int) crc.getValue();
  }

  /** Puts images in their places. */
  final class Writer implements AutoCloseable {
    private final FileChannel channel;

    private Writer(FileChannel channel) {
      this.channel = channel;
    }

    void write(int image, byte[] pixels) throws IOException {
      ByteBuffer record = ByteBuffer.allocate(records.recordBytes());
      record.put(pixels).putInt(checksum(image, pixels)).flip();
      long place = (long) image * records.recordBytes();
      while (record.hasRemaining()) {
        place += channel.write(record, place);
      }
      note(image);
    }

    @Override
    public void close() throws IOException {
      channel.close();
    }
  }
}
