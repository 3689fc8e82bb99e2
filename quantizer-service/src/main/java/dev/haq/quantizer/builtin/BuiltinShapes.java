package dev.haq.quantizer.builtin;

import dev.haq.model.HaqException;
import dev.haq.model.Preprocessing;
import dev.haq.model.Preprocessing.ChannelOrder;
import dev.haq.model.Reason;
import java.io.IOException;
import java.io.InputStream;
import java.util.List;

/**
 * The data set and the model that come with the program, both named {@code builtin:shapes}.
 *
 * <p>The images are numbered without end; each part of the data set is a range of numbers of its
 * own, so no image of one part occurs in another. Training numbers are used by {@code TrainShapes}
 * alone.
 */
public final class BuiltinShapes {
  /** Id of the data set and of the model. */
  public static final String ID = "builtin:shapes";

  public static final int SIDE = ShapesPainter.SIDE;
  public static final int CHANNELS = ShapesPainter.CHANNELS;
  public static final int CLASSES = ShapesPainter.CLASSES;
  public static final int IMAGE_BYTES = CHANNELS * SIDE * SIDE;

  /** The number of the first training image. */
  public static final long FIRST_TRAINING_IMAGE = 1_000_000;

  /** Maps bytes to about -2..2; the network was trained with it. */
  public static final Preprocessing PREPROCESSING =
      new Preprocessing(
          0, 0, List.of(127.5, 127.5, 127.5), List.of(64.0, 64.0, 64.0), ChannelOrder.RGB);

  /** Part of the identity of the data: another seed is another data set. */
  private static final long SEED = 20190409;

  private static final String MODEL_RESOURCE = "/builtin/shapes.onnx";
  private static final ShapesPainter PAINTER = new ShapesPainter(SEED);

  private BuiltinShapes() {}

  /** The parts of the data set in the order in which they are numbered through by a dataset. */
  public enum Part {
    CALIBRATION(0, 128),
    SEARCH(100_000, 1_000),
    HELD_OUT(200_000, 2_000);

    private final long firstImage;
    private final int images;

    Part(long firstImage, int images) {
      this.firstImage = firstImage;
      this.images = images;
    }

    public int images() {
      return images;
    }

    /** The number of this part's {@code position}-th image. */
    public long image(int position) {
      if (position < 0 || position >= images) {
        throw new IndexOutOfBoundsException(position);
      }
      return firstImage + position;
    }
  }

  /**
   * Draws an image.
   *
   * @param number 0 or more
   * @return [3 x 32 x 32] bytes 0..255, channel by channel (red, green, blue), row by row
   */
  public static byte[] image(long number) {
    return PAINTER.paint(number);
  }

  /** The class of an image, 0..9. */
  public static int label(long number) {
    return ShapesPainter.label(number);
  }

  /** The bytes of the built-in ONNX model. */
  public static byte[] model() {
    try (InputStream resource = BuiltinShapes.class.getResourceAsStream(MODEL_RESOURCE)) {
      if (resource == null) {
        throw new HaqException(
            Reason.INTERNAL, "the resource " + MODEL_RESOURCE + " is missing: build again");
      }
      return resource.readAllBytes();
    } catch (IOException e) {
      throw new HaqException(
          Reason.INTERNAL, "the resource " + MODEL_RESOURCE + " cannot be read", e);
    }
  }
}
