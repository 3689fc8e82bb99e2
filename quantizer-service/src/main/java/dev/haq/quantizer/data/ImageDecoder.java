package dev.haq.quantizer.data;

import dev.haq.model.HaqException;
import dev.haq.model.Reason;
import java.awt.image.BufferedImage;
import java.awt.image.IndexColorModel;
import java.awt.image.Raster;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.Arrays;
import java.util.Iterator;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import javax.imageio.ImageIO;
import javax.imageio.ImageReader;
import javax.imageio.stream.MemoryCacheImageInputStream;

/**
 * PNG and JPEG files to 8-bit RGB, with the values that Pillow's {@code open(...).convert("RGB")}
 * gives: samples as stored (colour profiles, gamma and EXIF orientation are ignored), grey repeated
 * three times, palettes looked up, transparency dropped, CMYK multiplied out.
 *
 * <p>One departure: of 16-bit grey samples the high byte is taken; Pillow clips them at 255, which
 * leaves a white picture.
 */
final class ImageDecoder {
  /** A larger picture is a mistake or an attack: it would take 750 MB to decode. */
  static final long MAX_PIXELS = 64L << 20;

  /** Pictures larger than this are decoded one at a time; a core's others take at most 100 MB. */
  private static final long MANY_PIXELS = 8L << 20;

  /** A progressive JPEG has about ten; each costs the time of the whole picture. */
  private static final int MOST_SCANS = 200;

  private static final Object LARGE = new Object();

  private static final byte[] PNG_MAGIC = {(byte) 0x89, 'P', 'N', 'G'};

  private static final Set<String> FORMATS = Set.of("png", "jpeg");

  /** What to do with other formats; another name would not help. */
  static final String CONVERT = "convert it to one of them, or remove it";

  private ImageDecoder() {}

  /** Which of the formats a file begins as, "png" or "jpeg". */
  static Optional<String> format(byte[] file) {
    if (JpegHeader.isJpeg(file)) {
      return Optional.of("jpeg");
    }
    boolean png = Arrays.equals(Arrays.copyOf(file, PNG_MAGIC.length), PNG_MAGIC);
    return png ? Optional.of("png") : Optional.empty();
  }

  /**
   * @param name of the image, for messages
   * @throws HaqException INVALID_DATASET when the bytes are not a whole PNG or JPEG image
   */
  static RgbImage decode(byte[] encoded, String name) {
    byte[] file = JpegHeader.isJpeg(encoded) ? JpegHeader.withoutProfile(encoded) : encoded;
    try (MemoryCacheImageInputStream input =
        new MemoryCacheImageInputStream(new ByteArrayInputStream(file))) {
      Iterator<ImageReader> readers = ImageIO.getImageReaders(input);
      if (!readers.hasNext()) {
        throw otherFormat(name, "it is neither PNG nor JPEG");
      }
      ImageReader reader = readers.next();
      try {
        if (!FORMATS.contains(reader.getFormatName().toLowerCase(Locale.ROOT))) {
          throw otherFormat(name, "it is " + reader.getFormatName() + ", not PNG or JPEG");
        }
        return decode(reader, input, file, name);
      } finally {
        reader.dispose();
      }
    } catch (IOException | RuntimeException e) {
      // The JDK's readers answer damaged files with any of several runtime exceptions.
      if (e instanceof HaqException typed) {
        throw typed;
      }
      throw unreadable(name, "it is damaged (" + e.getMessage() + ")", e);
    }
  }

  private static RgbImage decode(
      ImageReader reader, MemoryCacheImageInputStream input, byte[] file, String name)
      throws IOException {
    reader.setInput(input, true, true);
    long pixels = (long) reader.getWidth(0) * reader.getHeight(0);
    if (pixels > MAX_PIXELS) {
      throw unreadable(
          name,
          "it is %dx%d (height x width), larger than is taken"
              .formatted(reader.getHeight(0), reader.getWidth(0)),
          null);
    }
    if (JpegHeader.isJpeg(file) && JpegHeader.scans(file) > MOST_SCANS) {
      throw unreadable(name, "it is drawn in more than " + MOST_SCANS + " passes", null);
    }
    if (pixels > MANY_PIXELS) {
      synchronized (LARGE) {
        return whole(reader, file, name);
      }
    }
    return whole(reader, file, name);
  }

  private static RgbImage whole(ImageReader reader, byte[] file, String name) throws IOException {
    boolean[] cutOff = {false};
    reader.addIIOReadWarningListener(
        (source, warning) ->
            cutOff[0] |= warning.toLowerCase(Locale.ROOT).contains("premature end"));
    RgbImage image = read(reader, file);
    if (cutOff[0]) {
      throw unreadable(name, "it is cut off", null);
    }
    return image;
  }

  private static RgbImage read(ImageReader reader, byte[] file) throws IOException {
    // What the JDK makes of four-colour JPEG differs between its versions: take the raw samples.
    if (reader.canReadRaster() && JpegHeader.hasFourComponents(file)) {
      return ofCmyk(reader.readRaster(0, null), JpegHeader.adobeTransform(file));
    }
    BufferedImage image = reader.read(0);
    if (image.getColorModel() instanceof IndexColorModel palette) {
      return ofPalette(image.getRaster(), palette);
    }
    return ofSamples(image.getRaster());
  }

  private static RgbImage ofPalette(Raster raster, IndexColorModel palette) {
    int width = raster.getWidth();
    byte[] pixels = new byte[width * raster.getHeight() * RgbImage.CHANNELS];
    int[] row = new int[width];
    int at = 0;
    for (int y = 0; y < raster.getHeight(); y++) {
      raster.getSamples(raster.getMinX(), raster.getMinY() + y, width, 1, 0, row);
      for (int index : row) {
        pixels[at++] = (byte) palette.getRed(index);
        pixels[at++] = (byte) palette.getGreen(index);
        pixels[at++] = (byte) palette.getBlue(index);
      }
    }
    return new RgbImage(width, raster.getHeight(), pixels);
  }

  /** One or two bands: grey and transparency; three or four: red, green, blue and transparency. */
  private static RgbImage ofSamples(Raster raster) {
    int width = raster.getWidth();
    int bands = raster.getNumBands();
    int excessBits = Math.max(0, raster.getSampleModel().getSampleSize(0) - 8);
    byte[] pixels = new byte[width * raster.getHeight() * RgbImage.CHANNELS];
    int[] row = new int[width * bands];
    int at = 0;
    for (int y = 0; y < raster.getHeight(); y++) {
      raster.getPixels(raster.getMinX(), raster.getMinY() + y, width, 1, row);
      for (int x = 0; x < width; x++) {
        for (int c = 0; c < RgbImage.CHANNELS; c++) {
          pixels[at++] = (byte) (row[x * bands + (bands < 3 ? 0 : c)] >> excessBits);
        }
      }
    }
    return new RgbImage(width, raster.getHeight(), pixels);
  }

  private static RgbImage ofCmyk(Raster raster, int adobeTransform) throws IOException {
    if (raster.getNumBands() != 4) {
      throw new IOException(raster.getNumBands() + " colour components");
    }
    int width = raster.getWidth();
    byte[] pixels = new byte[width * raster.getHeight() * RgbImage.CHANNELS];
    int[] row = new int[width * 4];
    int at = 0;
    for (int y = 0; y < raster.getHeight(); y++) {
      raster.getPixels(raster.getMinX(), raster.getMinY() + y, width, 1, row);
      for (int x = 0; x < width; x++) {
        Cmyk.toRgb(row, x * 4, adobeTransform, pixels, at);
        at += RgbImage.CHANNELS;
      }
    }
    return new RgbImage(width, raster.getHeight(), pixels);
  }

  private static HaqException otherFormat(String name, String what) {
    return new HaqException(
        Reason.INVALID_DATASET, name + " cannot be read: " + what + "; " + CONVERT);
  }

  private static HaqException unreadable(String name, String why, Throwable cause) {
    return new HaqException(
        Reason.INVALID_DATASET, name + " cannot be read: " + why + "; mend or remove it", cause);
  }
}
