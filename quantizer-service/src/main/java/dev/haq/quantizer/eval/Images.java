package dev.haq.quantizer.eval;

import dev.haq.model.DataSelection;

/** Labelled images, prepared for a network. Safe for use by many threads. */
public interface Images {
  /** At least 1. */
  int size();

  /** The class of an image, 0 or more. */
  int label(int image);

  /** Writes an image, [channels][height][width], to {@code target} from {@code offset} on. */
  void read(int image, float[] target, int offset);

  /** Where images come from. */
  interface Source {
    /**
     * @param inputShape channels, height, width of the network's input
     * @param classes how many classes the network tells apart
     * @throws dev.haq.model.HaqException where there are no such images or they do not fit the
     *     network
     */
    Images images(DataSelection selection, java.util.List<Integer> inputShape, int classes);
  }
}
