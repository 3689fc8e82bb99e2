package dev.haq.quantizer.data;

import dev.haq.model.DataSelection;
import dev.haq.model.HaqException;
import dev.haq.model.Preprocessing;
import dev.haq.quantizer.eval.Images;
import dev.haq.quantizer.sharing.MadeOnce;
import dev.haq.quantizer.sharing.Places;
import dev.haq.quantizer.sharing.Waits;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.BooleanSupplier;
import java.util.function.Predicate;
import java.util.stream.IntStream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Prepared images by selection, so that an episode pays nothing for them: decoded and resized once,
 * on all cores, and kept as bytes in files that restarts and other replicas find again. Which
 * images a selection has, and their labels, are kept in memory for the selections used last. Where
 * nobody says how images are prepared they are read as they are, and the log says so. Thread-safe.
 */
public final class Datasets implements Images.Source {
  private static final Logger LOG = LoggerFactory.getLogger(Datasets.class);

  /** At most about 100 bytes an image each. */
  private static final int SELECTIONS = 32;

  /** Selections at once: each is decoded on all cores. */
  private static final int MOST_DECODED = 2;

  /** So many are decoded in a moment; they do not wait for more. */
  private static final int FEW = 64;

  private final DatasetStore store;
  private final PreparedFiles prepared;
  private final MadeOnce<Key, LabelledImages> recent = new MadeOnce<>(SELECTIONS);
  private final Places decoding = new Places(MOST_DECODED);
  private final Places decodingFew = new Places(MOST_DECODED);
  private final Set<String> undeclared = ConcurrentHashMap.newKeySet(); // that were told of

  public Datasets(DatasetStore store) {
    this.store = store;
    this.prepared = store.prepared();
  }

  /** What is prepared: the selection with its preprocessing settled, and the model's input. */
  private record Key(DataSelection selection, int channels, int height, int width) {}

  /**
   * @throws HaqException as {@link #images(DataSelection, int, int, int, BooleanSupplier)};
   *     LABEL_OUT_OF_RANGE naming an image whose label is none of the classes
   */
  @Override
  public LabelledImages images(
      DataSelection selection, List<Integer> inputShape, int classes, BooleanSupplier cancelled) {
    LabelledImages images =
        images(selection, inputShape.get(0), inputShape.get(1), inputShape.get(2), cancelled);
    images.requireLabelsBelow(classes);
    return images;
  }

  /**
   * The images a selection means, prepared for a model. A model of one channel gets grey images:
   * colours are weighed as ITU-R BT.601 has it, as Pillow's {@code convert("L")} does. Where the
   * caller leaves, another that wants the same images goes on.
   *
   * @param channels of the model's input, 1 or 3
   * @param height of the model's input, pixels
   * @param width of the model's input, pixels
   * @param cancelled asked now and then whether nobody waits for them any more
   * @throws HaqException UNKNOWN_DATASET; INVALID_ARGUMENT when the model has other channels, or
   *     one while mean and deviation differ between colours; INVALID_DATASET when the split is
   *     empty; IMAGE_SIZE_MISMATCH naming an image whose size, prepared, is not the model's;
   *     CANCELLED
   */
  LabelledImages images(
      DataSelection selection, int channels, int height, int width, BooleanSupplier cancelled) {
    drop(ofDeleted());
    DatasetInfo dataset = store.get(selection.datasetId());
    Preprocessing preprocessing = preprocessing(dataset, selection);
    requireChannels(channels, preprocessing);
    Key key = new Key(settled(selection, preprocessing), channels, height, width);
    return recent.get(key, () -> prepare(dataset, key, preprocessing, cancelled), cancelled);
  }

  @Override
  public boolean arePrepared(DataSelection selection, List<Integer> inputShape) {
    Preprocessing preprocessing = preprocessing(store.get(selection.datasetId()), selection);
    return recent.has(
        new Key(
            settled(selection, preprocessing),
            inputShape.get(0),
            inputShape.get(1),
            inputShape.get(2)));
  }

  private Preprocessing preprocessing(DatasetInfo dataset, DataSelection selection) {
    return selection
        .preprocessing()
        .map(Preprocessing::ofPixelsTo255)
        .or(dataset::preprocessing)
        .orElseGet(() -> asTheyAre(dataset.id()));
  }

  /** Few networks want that; nobody may have thought of it. */
  private Preprocessing asTheyAre(String datasetId) {
    if (undeclared.add(datasetId)) {
      LOG.warn(
          "neither the request nor dataset {} says how images are prepared: they are read as they are, values 0..255 (preset raw)",
          datasetId);
    }
    return Preprocessing.preset("raw");
  }

  @Override
  public boolean hasCalibrationImages(DataSelection selection) {
    return switch (selection.split()) {
      case ALL, CALIBRATION -> true;
      case SEARCH -> store.get(selection.datasetId()).format() != DatasetFormat.BUILTIN;
      case HELD_OUT -> false;
    };
  }

  @Override
  public Optional<Preprocessing> declared(String datasetId) {
    return store.get(datasetId).preprocessing();
  }

  @Override
  public void forget(String datasetId) {
    drop(key -> key.selection().datasetId().equals(datasetId));
  }

  /** What another replica has deleted, or this one while its images were being decoded. */
  private Predicate<Key> ofDeleted() {
    Map<String, Boolean> stored = new HashMap<>();
    return key -> !stored.computeIfAbsent(key.selection().datasetId(), store::has);
  }

  /**
   * RATIONALE: asks for a garbage collection. Java unmaps a file only when its buffers are
   * collected, which in an idle service may be never; until then a deleted file takes its room on
   * the disk. Deleting is rare.
   */
  private void drop(Predicate<Key> unwanted) {
    if (recent.removeIf(unwanted)) {
      System.gc();
    }
  }

  private static void requireChannels(int channels, Preprocessing preprocessing) {
    if (channels != 1 && channels != RgbImage.CHANNELS) {
      throw HaqException.invalid(
          "the model takes images of %d channels: only models of 1 (grey) or 3 (colour) channels can be evaluated",
          channels);
    }
    if (channels == 1
        && (preprocessing.mean().stream().distinct().count() > 1
            || preprocessing.std().stream().distinct().count() > 1)) {
      throw HaqException.invalid(
          "the model takes grey images, and the preprocessing has another mean %s or std %s for each colour: give one of each, such as mean: [33.3] and std: [78.6]",
          preprocessing.mean(), preprocessing.std());
    }
  }

  private static DataSelection settled(DataSelection selection, Preprocessing preprocessing) {
    return selection.withPreprocessing(Optional.of(preprocessing));
  }

  private LabelledImages prepare(
      DatasetInfo dataset, Key key, Preprocessing preprocessing, BooleanSupplier cancelled) {
    Geometry geometry = Geometry.of(preprocessing, key.channels(), key.height(), key.width());
    ImagePreparation preparation = new ImagePreparation(geometry);
    ImageSource source = store.open(dataset);
    Optional<PreparedFile> file = Optional.empty();
    boolean kept = false;
    try {
      int[] indices = source.select(key.selection());
      file = prepared.open(dataset.id(), source.size(), geometry);
      if (dataset.format() != DatasetFormat.BUILTIN && !store.isStored(dataset.id())) {
        prepared.remove(dataset.id()); // lest a file made for what is deleted just now stays
      }
      kept = fill(file, source, indices, preparation, cancelled);
      Pixels pixels = kept ? file.get() : new DecodedPixels(file, source, preparation);
      int[] labels = Arrays.stream(indices).map(source::label).toArray();
      String[] names = Arrays.stream(indices).mapToObj(source::name).toArray(String[]::new);
      return new LabelledImages(geometry, pixels, indices, labels, names, preprocessing);
    } catch (RuntimeException e) {
      kept = true;
      throw e;
    } finally {
      if (kept) {
        source.close();
        file.ifPresent(PreparedFile::close);
      }
    }
  }

  /**
   * Prepares what the file lacks; what cannot be prepared is found here in any case.
   *
   * @return whether all of it is in the file now
   */
  private boolean fill(
      Optional<PreparedFile> file,
      ImageSource source,
      int[] indices,
      ImagePreparation preparation,
      BooleanSupplier cancelled) {
    int[] missing =
        IntStream.range(0, indices.length)
            .parallel()
            .map(position -> indices[position])
            .filter(image -> !has(file, image, cancelled))
            .toArray();
    if (missing.length == 0) {
      return true;
    }
    Places places = missing.length <= FEW ? decodingFew : decoding;
    places.enter(cancelled);
    try {
      return decode(missing, file, source, preparation, cancelled);
    } finally {
      places.leave();
    }
  }

  private static boolean has(Optional<PreparedFile> file, int image, BooleanSupplier cancelled) {
    Waits.throwIf(cancelled);
    return file.isPresent() && file.get().has(image);
  }

  private boolean decode(
      int[] missing,
      Optional<PreparedFile> file,
      ImageSource source,
      ImagePreparation preparation,
      BooleanSupplier cancelled) {
    Optional<PreparedFile> target =
        file.filter(f -> prepared.hasRoom((long) missing.length * f.recordBytes()));
    PreparedFile.Filler filler = new PreparedFile.Filler(target);
    InOrder.run(
        missing.length,
        position -> {
          Waits.throwIf(cancelled);
          int image = missing[position];
          filler.write(image, preparation.prepare(source.decode(image), source.name(image)));
        });
    return filler.isWhole();
  }
}
