package dev.haq.quantizer.grpc;

import dev.haq.model.HaqException;

/** The order of the messages of an upload: one header, first, and then the chunks of the file. */
final class UploadOrder {
  private boolean begun;

  /** A header has come. */
  void header() {
    if (begun) {
      throw HaqException.invalid("an upload has one header, as its first message");
    }
    begun = true;
  }

  /** A chunk has come, or the end. */
  void afterHeader() {
    if (!begun) {
      throw HaqException.invalid("the first message of an upload must be its header");
    }
  }

  /** A message without either. */
  static HaqException empty() {
    return HaqException.invalid("a message of an upload needs a header or a chunk");
  }
}
