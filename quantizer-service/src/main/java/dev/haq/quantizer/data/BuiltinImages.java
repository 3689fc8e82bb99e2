package dev.haq.quantizer.data;

import dev.haq.model.DataSelection;
import dev.haq.quantizer.builtin.BuiltinShapes;
import dev.haq.quantizer.builtin.BuiltinShapes.Part;
import java.util.Arrays;
import java.util.stream.IntStream;

/**
 * {@code builtin:shapes} as a source: its parts one after the other, calibration, search, held-out.
 * The parts are fixed; the seed and the fraction of a selection do not change them.
 */
final class BuiltinImages implements ImageSource {
  @Override
  public int size() {
    return Arrays.stream(Part.values()).mapToInt(Part::images).sum();
  }

  @Override
  public int classes() {
    return BuiltinShapes.CLASSES;
  }

  @Override
  public int label(int image) {
    return BuiltinShapes.label(number(image));
  }

  @Override
  public String name(int image) {
    return BuiltinShapes.ID + " image " + number(image);
  }

  @Override
  public RgbImage decode(int image) {
    return Planes.interleave(
        BuiltinShapes.image(number(image)), 0, BuiltinShapes.SIDE, BuiltinShapes.SIDE);
  }

  @Override
  public int[] select(DataSelection selection) {
    int[] split =
        switch (selection.split()) {
          case ALL -> IntStream.range(0, size()).toArray();
          case CALIBRATION ->
              Splits.first(indices(Part.CALIBRATION), selection.calibrationImages());
          case SEARCH -> indices(Part.SEARCH);
          case HELD_OUT -> indices(Part.HELD_OUT);
        };
    return Splits.first(split, selection.maxImages());
  }

  private static int[] indices(Part part) {
    int from = 0;
    for (Part before : Part.values()) {
      if (before == part) {
        break;
      }
      from += before.images();
    }
    return IntStream.range(from, from + part.images()).toArray();
  }

  private static long number(int image) {
    int position = image;
    for (Part part : Part.values()) {
      if (position < part.images()) {
        return part.image(position);
      }
      position -= part.images();
    }
    throw new IndexOutOfBoundsException(image);
  }
}
