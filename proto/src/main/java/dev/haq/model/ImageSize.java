package dev.haq.model;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The size of the images that a network takes, in pixels.
 *
 * @param height 1..16,384
 * @param width 1..16,384
 */
public record ImageSize(int height, int width) {
  private static final int LARGEST = 16_384;
  private static final Pattern TEXT = Pattern.compile("(\\d{1,5})(?:x(\\d{1,5}))?");

  public ImageSize {
    if (height < 1 || height > LARGEST || width < 1 || width > LARGEST) {
      throw HaqException.invalid(
          "image size %dx%d: height and width must be 1..%d pixels", height, width, LARGEST);
    }
  }

  /**
   * @param text {@code 224}, or height and width as {@code 224x192}
   */
  public static ImageSize parse(String text) {
    Matcher matcher = TEXT.matcher(text.strip());
    if (!matcher.matches()) {
      throw HaqException.invalid(
          "image size '%s': give pixels as 224, or height and width as 224x192", text);
    }
    int height = Integer.parseInt(matcher.group(1));
    return new ImageSize(
        height, matcher.group(2) == null ? height : Integer.parseInt(matcher.group(2)));
  }

  /** Height and width, such as {@code 224x192}. */
  @Override
  public String toString() {
    return height + "x" + width;
  }
}
