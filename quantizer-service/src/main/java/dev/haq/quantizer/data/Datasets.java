package dev.haq.quantizer.data;

import dev.haq.model.DataSelection;
import dev.haq.model.HaqException;
import dev.haq.model.Preprocessing;
import dev.haq.model.Reason;
import java.util.Arrays;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * Prepared images by selection, with a cache so that an episode pays nothing for them: decoded and
 * resized once, on all cores, kept as bytes; the least recently used are dropped when the cache is
 * full. Thread-safe.
 */
public final class Datasets {
  /** 1 GiB: 7,000 images of 224x224, or 350,000 of 32x32. */
  public static final long DEFAULT_CACHE_BYTES = 1L << 30;

  private final DatasetStore store;
  private final long cacheBytes;
  private final Map<Key, LabelledImages> cache = new LinkedHashMap<>(16, 0.75f, true);
  private final Object[] locks = new Object[64];

  /**
   * @param cacheBytes of prepared images kept in memory; also the most that one selection may take
   */
  public Datasets(DatasetStore store, long cacheBytes) {
    this.store = store;
    this.cacheBytes = cacheBytes;
    Arrays.setAll(locks, i -> new Object());
  }

  /** What is prepared: the selection with its preprocessing settled, and the model's input size. */
  private record Key(DataSelection selection, int height, int width) {}

  /**
   * The images a selection means, prepared for a model.
   *
   * @param height of the model's input, pixels
   * @param width of the model's input, pixels
   * @throws HaqException UNKNOWN_DATASET; INVALID_DATASET when the split is empty;
   *     IMAGE_SIZE_MISMATCH naming an image whose size, prepared, is not the model's; TOO_LARGE
   *     when they do not fit the cache
   */
  public LabelledImages images(DataSelection selection, int height, int width) {
    DatasetInfo dataset = store.get(selection.datasetId());
    Preprocessing preprocessing =
        selection
            .preprocessing()
            .or(dataset::preprocessing)
            .orElseGet(() -> Preprocessing.preset("raw"));
    Key key = new Key(settled(selection, preprocessing), height, width);
    synchronized (lock(key)) {
      LabelledImages known = cached(key);
      if (known != null) {
        return known;
      }
      LabelledImages prepared = prepare(dataset, key, preprocessing);
      keep(key, prepared);
      return prepared;
    }
  }

  private static DataSelection settled(DataSelection selection, Preprocessing preprocessing) {
    return new DataSelection(
        selection.datasetId(),
        Optional.of(preprocessing),
        selection.split(),
        selection.maxImages(),
        selection.calibrationImages(),
        selection.splitSeed(),
        selection.heldOutFraction());
  }

  private LabelledImages prepare(DatasetInfo dataset, Key key, Preprocessing preprocessing) {
    try (ImageSource source = store.open(dataset)) {
      int[] indices = source.select(key.selection());
      long bytes = (long) indices.length * RgbImage.CHANNELS * key.height() * key.width();
      if (bytes > cacheBytes) {
        throw new HaqException(
            Reason.TOO_LARGE,
            String.format(
                Locale.ROOT,
                "%d images of %dx%d take %d MB, %d MB are allowed: choose at most %d images",
                indices.length,
                key.width(),
                key.height(),
                bytes >> 20,
                cacheBytes >> 20,
                cacheBytes / ((long) RgbImage.CHANNELS * key.height() * key.width())));
      }
      ImagePreparation preparation = new ImagePreparation(preprocessing, key.height(), key.width());
      byte[][] pixels = new byte[indices.length][];
      int[] labels = new int[indices.length];
      String[] names = new String[indices.length];
      InOrder.run(
          indices.length,
          position -> {
            int index = indices[position];
            names[position] = source.name(index);
            labels[position] = source.label(index);
            pixels[position] = preparation.prepare(source.decode(index), names[position]);
          });
      return new LabelledImages(key.height(), key.width(), pixels, labels, names, preprocessing);
    }
  }

  /** Two callers of one selection share a lock, so it is prepared once; others seldom wait. */
  private Object lock(Key key) {
    return locks[Math.floorMod(key.hashCode(), locks.length)];
  }

  private LabelledImages cached(Key key) {
    synchronized (cache) {
      return cache.get(key);
    }
  }

  private void keep(Key key, LabelledImages prepared) {
    synchronized (cache) {
      cache.put(key, prepared);
      long bytes = cache.values().stream().mapToLong(LabelledImages::sizeBytes).sum();
      Iterator<LabelledImages> oldest = cache.values().iterator();
      while (bytes > cacheBytes) {
        bytes -= oldest.next().sizeBytes();
        oldest.remove();
      }
    }
  }
}
