package dev.haq.cli;

import dev.haq.proto.model.v1.DataSelection;
import dev.haq.wire.DataWire;

/**
 * The images that say how accurate a found policy is: those held out, or the search images where
 * none are.
 */
record JudgingImages(DataSelection data, boolean heldOut) {
  /**
   * @param search the images that the policies were found with
   */
  static JudgingImages of(GatewayClient client, DataSelection search) {
    boolean heldOut = holdsOut(client, search);
    DataSelection.Builder data = search.toBuilder();
    if (heldOut) {
      data.setSplit(DataSelection.Split.HELD_OUT).setMaxImages(0);
    } else {
      data.setSplit(DataSelection.Split.SEARCH);
    }
    return new JudgingImages(data.build(), heldOut);
  }

  /** The built-in images are held out in a part of their own, whatever the fraction above 0. */
  private static boolean holdsOut(GatewayClient client, DataSelection selection) {
    dev.haq.model.DataSelection data = DataWire.fromProto(selection);
    if (data.datasetId().equals(ModelOption.BUILTIN)) {
      return data.heldOutFraction() > 0;
    }
    return client
        .findDataset(data.datasetId())
        .map(dataset -> data.heldOutImages(dataset.getImages()) > 0)
        .orElse(data.heldOutFraction() > 0);
  }

  /** For people. */
  String text() {
    return heldOut ? "held-out images" : "search images (none held out)";
  }
}
