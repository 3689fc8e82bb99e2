package dev.haq.wire;

import dev.haq.model.HaqException;

/**
 * A slice of a list that changes by appending only; the token of the next page is where it starts.
 *
 * @param from first element, 0-based
 * @param to after the last element
 */
public record Page(int from, int to) {
  /** The most elements of one page, and how many a page has by default. */
  public static final int LARGEST = 100;

  /**
   * The page that a request asks for.
   *
   * @param token {@code page_token}: empty for the first page
   * @param size {@code page_size}: 0 for {@link #LARGEST}; more is cut to it
   * @param total elements of the whole list
   */
  public static Page of(String token, int size, int total) {
    if (size < 0) {
      throw HaqException.invalid("page_size %d must not be negative", size);
    }
    if (!token.matches("[0-9]{0,8}") || (!token.isEmpty() && Integer.parseInt(token) > total)) {
      throw HaqException.invalid(
          "page_token '%s' is not one of this service: use next_page_token, or none", token);
    }
    int from = token.isEmpty() ? 0 : Integer.parseInt(token);
    int length = size == 0 ? LARGEST : Math.min(size, LARGEST);
    return new Page(from, Math.min(total, from + length));
  }

  /** {@code next_page_token}: empty on the last page. */
  public String next(int total) {
    return to < total ? Integer.toString(to) : "";
  }
}
