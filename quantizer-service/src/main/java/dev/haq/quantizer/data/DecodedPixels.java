package dev.haq.quantizer.data;

import java.util.Optional;

/**
 * Pixels that are prepared whenever they are read, where the disk has no room for them. What a file
 * has of them is taken from there. The images stay open for as long as this is in use.
 */
final class DecodedPixels implements Pixels {
  private final Optional<PreparedFile> file;
  private final ImageSource source;
  private final ImagePreparation preparation;

  DecodedPixels(Optional<PreparedFile> file, ImageSource source, ImagePreparation preparation) {
    this.file = file;
    this.source = source;
    this.preparation = preparation;
  }

  @Override
  public void read(int image, byte[] target, int at) {
    if (file.isPresent() && file.get().has(image)) {
      file.get().read(image, target, at);
      return;
    }
    byte[] pixels = preparation.prepare(source.decode(image), source.name(image));
    System.arraycopy(pixels, 0, target, at, pixels.length);
  }
}
