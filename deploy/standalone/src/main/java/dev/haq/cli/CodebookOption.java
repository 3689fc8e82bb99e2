package dev.haq.cli;

import picocli.CommandLine.Option;

/** What a model size counts beside weights. */
final class CodebookOption {
  @Option(
      names = "--codebooks",
      description =
          "Add to model sizes what recipe kmeans keeps for a layer: 2^bits centroids of 4 bytes."
              + " Searches with that recipe do.")
  private boolean counted;

  boolean counted() {
    return counted;
  }
}
