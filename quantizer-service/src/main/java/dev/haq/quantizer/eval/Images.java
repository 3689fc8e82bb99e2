package dev.haq.quantizer.eval;

import dev.haq.model.DataSelection;
import dev.haq.model.Preprocessing;
import dev.haq.quantizer.onnx.CnnGraph;
import java.util.List;
import java.util.Optional;
import java.util.function.BooleanSupplier;

/** Labelled images, prepared for a network. Safe for use by many threads. */
public interface Images {
  /** At least 1. */
  int size();

  /** The class of an image, 0 or more. */
  int label(int image);

  /** Writes an image, [channels][height][width], to {@code target} from {@code offset} on. */
  void read(int image, float[] target, int offset);

  /** One thread's buffer for {@code size} of these images, as the graph's own input. */
  default InputBatch batch(CnnGraph graph, int size) {
    return new InputBatch.Floats(this, graph, size);
  }

  /** Images that are kept as bytes. */
  interface OfBytes extends Images {
    /** The values of a channel's bytes, [channel][256]. */
    float[][] byteValues();

    /** Writes an image's bytes, [channels][height][width], to {@code target}. */
    void readBytes(int image, byte[] target);
  }

  /** Where images come from. */
  interface Source {
    /**
     * @param inputShape channels, height, width of the network's input
     * @param classes how many classes the network tells apart
     * @param cancelled asked now and then whether nobody waits for them any more
     * @throws dev.haq.model.HaqException where there are no such images or they do not fit the
     *     network, or CANCELLED
     */
    Images images(
        DataSelection selection, List<Integer> inputShape, int classes, BooleanSupplier cancelled);

    /**
     * Whether {@link #images} has them at hand, with nothing to wait for.
     *
     * @throws dev.haq.model.HaqException where there is no such dataset
     */
    boolean arePrepared(DataSelection selection, List<Integer> inputShape);

    /**
     * How a dataset itself says that its images are prepared.
     *
     * @throws dev.haq.model.HaqException where there is no such dataset
     */
    Optional<Preprocessing> declared(String datasetId);

    /** Drops what is remembered of a dataset that was deleted. */
    void forget(String datasetId);

    /**
     * Whether images that calibrate are among the selected ones.
     *
     * @throws dev.haq.model.HaqException where there is no such dataset
     */
    boolean hasCalibrationImages(DataSelection selection);
  }
}
