package dev.haq.quantizer.data;

import java.io.ByteArrayOutputStream;
import java.util.function.IntPredicate;

/** What has to be known, and taken out, of a JPEG file's header segments. */
final class JpegHeader {
  private static final int PROFILE = 0xE2; // APP2
  private static final int PICTURE = 0xDA; // start of scan

  private JpegHeader() {}

  static boolean isJpeg(byte[] file) {
    return file.length > 4 && (file[0] & 0xFF) == 0xFF && (file[1] & 0xFF) == 0xD8;
  }

  /**
   * The file without its colour profile. The JDK's reader would apply it, Pillow does not, and
   * networks are trained on what Pillow reads.
   */
  static byte[] withoutProfile(byte[] jpeg) {
    ByteArrayOutputStream kept = new ByteArrayOutputStream(jpeg.length);
    int at = 2; // past the start-of-image marker
    kept.write(jpeg, 0, at);
    while (isSegment(jpeg, at) && marker(jpeg, at) != PICTURE) {
      int next = Math.min(jpeg.length, next(jpeg, at));
      if (marker(jpeg, at) != PROFILE) {
        kept.write(jpeg, at, next - at);
      }
      at = next;
    }
    kept.write(jpeg, at, jpeg.length - at);
    return kept.toByteArray();
  }

  /** Whether the file's frame header (SOF) announces four colour components. */
  static boolean hasFourComponents(byte[] jpeg) {
    int frame = segment(jpeg, marker -> marker >= 0xC0 && marker <= 0xCF && !isTable(marker));
    return frame > 0 && frame + 9 < jpeg.length && jpeg[frame + 9] == 4;
  }

  /** How often a scan begins; picture data cannot hold its marker, other segments seldom do. */
  static int scans(byte[] jpeg) {
    int scans = 0;
    for (int i = 0; i + 1 < jpeg.length; i++) {
      if ((jpeg[i] & 0xFF) == 0xFF && (jpeg[i + 1] & 0xFF) == PICTURE) {
        scans++;
      }
    }
    return scans;
  }

  /** The colour transform that the file's Adobe segment (APP14) states; 0 when it has none. */
  static int adobeTransform(byte[] jpeg) {
    int adobe = segment(jpeg, marker -> marker == 0xEE);
    return adobe > 0 && adobe + 15 < jpeg.length && jpeg[adobe + 4] == 'A'
        ? jpeg[adobe + 15] & 0xFF
        : 0;
  }

  /** Huffman tables, extensions and arithmetic coding lie among the frame markers. */
  private static boolean isTable(int marker) {
    return marker == 0xC4 || marker == 0xC8 || marker == 0xCC;
  }

  /** Where the first segment of a kind begins (its 0xFF byte); 0 when there is none. */
  private static int segment(byte[] jpeg, IntPredicate wanted) {
    int at = 2;
    while (isSegment(jpeg, at) && marker(jpeg, at) != PICTURE) {
      if (wanted.test(marker(jpeg, at))) {
        return at;
      }
      at = next(jpeg, at);
    }
    return 0;
  }

  private static boolean isSegment(byte[] jpeg, int at) {
    return at + 4 < jpeg.length && (jpeg[at] & 0xFF) == 0xFF;
  }

  private static int marker(byte[] jpeg, int at) {
    return jpeg[at + 1] & 0xFF;
  }

  private static int next(byte[] jpeg, int at) {
    return at + 2 + ((jpeg[at + 2] & 0xFF) << 8 | (jpeg[at + 3] & 0xFF));
  }
}
