package dev.haq.wire;

import dev.haq.model.HaqException;
import dev.haq.model.Reason;
import java.nio.charset.StandardCharsets;

/** Text that people write into files. Some editors begin it with a byte order mark. */
public final class Utf8Text {
  private static final String BYTE_ORDER_MARK = "\uFEFF";

  private Utf8Text() {}

  /**
   * The text, without a byte order mark.
   *
   * @param name of the file, for messages
   * @throws HaqException INVALID_DATASET when it is in UTF-16
   */
  public static String of(byte[] content, String name) {
    if (looksLikeUtf16(content)) {
      throw new HaqException(
          Reason.INVALID_DATASET,
          name + " cannot be used: it must be UTF-8 and looks like UTF-16; save it as UTF-8");
    }
    return withoutMark(new String(content, StandardCharsets.UTF_8));
  }

  /** Text that was decoded already, without a byte order mark. */
  public static String withoutMark(String text) {
    return text.startsWith(BYTE_ORDER_MARK) ? text.substring(BYTE_ORDER_MARK.length()) : text;
  }

  /** By its byte order mark, or by zeros, which no text in UTF-8 has. */
  private static boolean looksLikeUtf16(byte[] content) {
    if (content.length >= 2) {
      int mark = (content[0] & 0xFF) << 8 | (content[1] & 0xFF);
      if (mark == 0xFEFF || mark == 0xFFFE) {
        return true;
      }
    }
    for (byte value : content) {
      if (value == 0) {
        return true;
      }
    }
    return false;
  }
}
