package dev.haq.quantizer.eval;

import dev.haq.quantizer.data.LabelledImages;

/** A dataset's images as the evaluator wants them. */
record TestImages(LabelledImages images) implements Images.OfBytes {
  static Images of(LabelledImages images) {
    return new TestImages(images);
  }

  @Override
  public int size() {
    return images.size();
  }

  @Override
  public int label(int image) {
    return images.label(image);
  }

  @Override
  public void read(int image, float[] target, int offset) {
    images.read(image, target, offset);
  }

  @Override
  public float[][] byteValues() {
    return images.normalisation();
  }

  @Override
  public void readBytes(int image, byte[] target) {
    images.readBytes(image, target, 0);
  }
}
