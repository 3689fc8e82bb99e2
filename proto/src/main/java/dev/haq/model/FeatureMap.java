package dev.haq.model;

/** Height and width of one channel of a feature map, in pixels; each at least 1. */
public record FeatureMap(int height, int width) {
  public FeatureMap {
    if (height < 1 || width < 1) {
      throw HaqException.invalid(
          "feature map %dx%d: height and width must be at least 1", height, width);
    }
  }

  public static FeatureMap square(int side) {
    return new FeatureMap(side, side);
  }

  /** Pixels of one channel. */
  public long pixels() {
    return (long) height * width;
  }
}
