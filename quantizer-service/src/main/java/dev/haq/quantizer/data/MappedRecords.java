package dev.haq.quantizer.data;

import java.io.IOException;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * Records of one size in a file, read through memory mappings: the operating system keeps what is
 * used of it, so a file larger than memory works, and an interrupted thread closes nothing that
 * others read. The file must not shrink. Thread-safe.
 */
final class MappedRecords {
  /** A Java buffer ends at 2 GiB. */
  private static final long WINDOW_BYTES = 1 << 30;

  private final MappedByteBuffer[] windows;
  private final int recordBytes;
  private final int perWindow;
  private final int count;

  private MappedRecords(MappedByteBuffer[] windows, int recordBytes, int perWindow, int count) {
    this.windows = windows;
    this.recordBytes = recordBytes;
    this.perWindow = perWindow;
    this.count = count;
  }

  /**
   * Maps {@code count} records of {@code recordBytes} bytes from byte {@code start} of the file on.
   */
  static MappedRecords open(Path file, long start, int recordBytes, int count) throws IOException {
    return open(file, start, recordBytes, count, WINDOW_BYTES);
  }

  /**
   * As above.
   *
   * @param windowBytes of a mapping at most, rounded down to whole records, at least one
   */
  static MappedRecords open(Path file, long start, int recordBytes, int count, long windowBytes)
      throws IOException {
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      long end = start + (long) count * recordBytes;
      if (channel.size() < end) {
        throw new IOException(file + " has " + channel.size() + " bytes, " + end + " are needed");
      }
      return of(channel, start, recordBytes, count, windowBytes);
    }
  }

  /** The same of a file that is open, and large enough; it may be closed. */
  static MappedRecords of(FileChannel channel, long start, int recordBytes, int count)
      throws IOException {
    return of(channel, start, recordBytes, count, WINDOW_BYTES);
  }

  private static MappedRecords of(
      FileChannel channel, long start, int recordBytes, int count, long windowBytes)
      throws IOException {
    int perWindow = (int) Math.max(1, windowBytes / recordBytes);
    MappedByteBuffer[] windows = new MappedByteBuffer[(count + perWindow - 1) / perWindow];
    for (int i = 0; i < windows.length; i++) {
      int first = i * perWindow;
      long bytes = (long) Math.min(perWindow, count - first) * recordBytes;
      windows[i] =
          channel.map(FileChannel.MapMode.READ_ONLY, start + (long) first * recordBytes, bytes);
    }
    return new MappedRecords(windows, recordBytes, perWindow, count);
  }

  int count() {
    return count;
  }

  int recordBytes() {
    return recordBytes;
  }

  /** Copies {@code length} bytes of a record, from its byte {@code from} on. */
  void read(int record, int from, byte[] target, int at, int length) {
    windows[record / perWindow].get(place(record) + from, target, at, length);
  }

  byte get(int record, int at) {
    return windows[record / perWindow].get(place(record) + at);
  }

  private int place(int record) {
    return record % perWindow * recordBytes;
  }
}
