package dev.haq.model;

import java.util.Optional;

/**
 * Which images of a dataset, and how they are prepared.
 *
 * <p>A dataset that has no splits of its own is divided by a permutation that {@code splitSeed}
 * determines: the last {@code heldOutFraction} of it is {@link Split#HELD_OUT}, the rest {@link
 * Split#SEARCH}; calibration reads (unlabelled) images from the search part. The built-in dataset
 * has fixed, disjoint splits.
 *
 * @param datasetId {@code sha256:...} or {@code builtin:shapes}
 * @param preprocessing how images are prepared; empty for what the dataset itself declares, and as
 *     they are where it declares nothing
 * @param maxImages at most this many images of the split are used; 0 for all
 * @param calibrationImages how many images calibration reads, at least 1
 * @param splitSeed any
 * @param heldOutFraction 0 up to, not including, 1
 */
public record DataSelection(
    String datasetId,
    Optional<Preprocessing> preprocessing,
    Split split,
    int maxImages,
    int calibrationImages,
    long splitSeed,
    double heldOutFraction) {
  /** The parts of a dataset. */
  public enum Split {
    ALL,
    CALIBRATION,
    SEARCH,
    HELD_OUT
  }

  public static final int DEFAULT_CALIBRATION_IMAGES = 64;
  public static final double DEFAULT_HELD_OUT_FRACTION = 0.5;

  public DataSelection {
    if (datasetId == null || datasetId.isBlank()) {
      throw HaqException.invalid("no dataset is named");
    }
    if (maxImages < 0 || calibrationImages < 1) {
      throw HaqException.invalid(
          "images %d must not be negative and calibration images %d at least 1",
          maxImages, calibrationImages);
    }
    if (!(heldOutFraction >= 0) || heldOutFraction >= 1) {
      throw HaqException.invalid(
          "held-out fraction %s must be 0 or more and below 1", heldOutFraction);
    }
  }

  /** All images of a dataset, prepared as it declares. */
  public static DataSelection all(String datasetId) {
    return new DataSelection(
        datasetId,
        Optional.empty(),
        Split.ALL,
        0,
        DEFAULT_CALIBRATION_IMAGES,
        0,
        DEFAULT_HELD_OUT_FRACTION);
  }

  /**
   * How many images {@link Split#HELD_OUT} has of a dataset without splits of its own: none where
   * the fraction of a small one rounds to 0, and never all of them.
   *
   * @param size images of the dataset, at least 1
   */
  public int heldOutImages(int size) {
    return (int) Math.min(size - 1, Math.round(size * heldOutFraction));
  }

  public DataSelection withSplit(Split other) {
    return new DataSelection(
        datasetId, preprocessing, other, maxImages, calibrationImages, splitSeed, heldOutFraction);
  }

  /**
   * @param other how images are prepared; empty for what the dataset itself declares
   */
  public DataSelection withPreprocessing(Optional<Preprocessing> other) {
    return new DataSelection(
        datasetId, other, split, maxImages, calibrationImages, splitSeed, heldOutFraction);
  }

  /**
   * @param most at most this many images of the split; 0 for all
   */
  public DataSelection withMaxImages(int most) {
    return new DataSelection(
        datasetId, preprocessing, split, most, calibrationImages, splitSeed, heldOutFraction);
  }
}
