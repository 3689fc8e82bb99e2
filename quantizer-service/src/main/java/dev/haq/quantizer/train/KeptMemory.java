package dev.haq.quantizer.train;

import com.sun.jna.Library;
import com.sun.jna.Native;
import com.sun.jna.NativeLong;
import com.sun.jna.Platform;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * While it is open, memory that the training library frees stays with the process, to be had again.
 * Every step frees tensors of megabytes and asks for as many; glibc gives such blocks back to the
 * system at once, and having them mapped and cleared anew took a sixth of a step's time. With
 * another C library nothing changes.
 */
final class KeptMemory implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(KeptMemory.class);

  /** Of {@code mallopt}: free bytes at the end of a heap that are given back. */
  private static final int TRIM_THRESHOLD = -1;

  /** Of {@code mallopt}: bytes from which a block is mapped by itself. */
  private static final int MMAP_THRESHOLD = -3;

  /** What glibc lets its own adjustment come to, for both. */
  private static final int USUAL_MOST_MAPPED = 32 << 20;

  private static final int USUAL_MOST_KEPT = 64 << 20;
  private static final int ALL = 1 << 30;

  /** What is called of the C library. */
  private interface Allocator extends Library {
    int mallopt(int parameter, int value);

    int malloc_trim(NativeLong kept);
  }

  private final Optional<Allocator> allocator;

  private KeptMemory(Optional<Allocator> allocator) {
    this.allocator = allocator;
  }

  static KeptMemory open() {
    try {
      Allocator allocator = Native.load(Platform.C_LIBRARY_NAME, Allocator.class);
      allocator.mallopt(MMAP_THRESHOLD, USUAL_MOST_MAPPED);
      allocator.mallopt(TRIM_THRESHOLD, ALL);
      return new KeptMemory(Optional.of(allocator));
    } catch (Error e) { // of many kinds, where a native library is not to be had
      LOG.debug("freed memory goes back to the system at every step", e);
      return new KeptMemory(Optional.empty());
    }
  }

  /** Gives back what was kept. */
  @Override
  public void close() {
    allocator.ifPresent(
        a -> {
          a.mallopt(TRIM_THRESHOLD, USUAL_MOST_KEPT);
          a.malloc_trim(new NativeLong(0));
        });
  }
}
