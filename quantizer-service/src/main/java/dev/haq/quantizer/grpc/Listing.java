package dev.haq.quantizer.grpc;

import com.google.protobuf.Message;
import dev.haq.model.HaqException;
import dev.haq.wire.Page;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

/**
 * A page of things that are listed oldest first and may be deleted while somebody reads: it begins
 * after the moment and the id of the last thing of the page before, whether that is still there or
 * not. It ends before it has more bytes than clients take.
 *
 * @param next the token of the next page; empty on the last
 */
record Listing<M extends Message>(List<M> page, String next) {
  /** Clients of gRPC take messages of 4 MiB unless they are told otherwise. */
  static final int MOST_BYTES = 3 << 20;

  /** Where a thing stands; its text is a token. */
  record Place(Instant created, String id) implements Comparable<Place> {
    private static Place parse(String token) {
      int at = token.lastIndexOf('@');
      try {
        return new Place(Instant.parse(token.substring(at + 1)), token.substring(0, at));
      } catch (DateTimeException | IndexOutOfBoundsException e) {
        throw HaqException.invalid(
            "page_token '%s' is not one of this service: use next_page_token, or none", token);
      }
    }

    @Override
    public int compareTo(Place other) {
      int byTime = created.compareTo(other.created);
      return byTime != 0 ? byTime : id.compareTo(other.id);
    }

    @Override
    public String toString() {
      return id + "@" + created;
    }
  }

  /**
   * @param all in the order of their places
   * @param token {@code page_token}: empty for the first page
   * @param size {@code page_size}, as of {@link Page#of}
   * @param encode of at most {@link #MOST_BYTES}; a larger one is a page of its own
   */
  static <T, M extends Message> Listing<M> of(
      List<T> all, Function<T, Place> place, String token, int size, Function<T, M> encode) {
    int from = 0;
    if (!token.isEmpty()) {
      Place last = Place.parse(token);
      while (from < all.size() && place.apply(all.get(from)).compareTo(last) <= 0) {
        from++;
      }
    }
    List<T> rest = all.subList(from, all.size());
    List<M> page = new ArrayList<>();
    int most = Page.of("", size, rest.size()).to();
    long bytes = 0;
    while (page.size() < most) {
      M next = encode.apply(rest.get(page.size()));
      bytes += next.getSerializedSize();
      if (bytes > MOST_BYTES && !page.isEmpty()) {
        break;
      }
      page.add(next);
    }
    return new Listing<>(
        page, page.size() == rest.size() ? "" : place.apply(rest.get(page.size() - 1)).toString());
  }
}
