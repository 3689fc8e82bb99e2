package dev.haq.wire;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.haq.model.HaqException;
import org.junit.jupiter.api.Test;

class PageTest {
  @Test
  void pagesFollowOneAnotherWithoutAGapOrARepeat() {
    Page first = Page.of("", 3, 7);
    Page second = Page.of(first.next(7), 3, 7);
    Page third = Page.of(second.next(7), 3, 7);

    assertEquals(new Page(0, 3), first);
    assertEquals(new Page(3, 6), second);
    assertEquals(new Page(6, 7), third);
    assertEquals("", third.next(7));
  }

  @Test
  void aPageIsBoundedWhateverIsAskedFor() {
    assertEquals(new Page(0, 100), Page.of("", 0, 1000));
    assertEquals(new Page(0, 100), Page.of("", 1_000_000, 1000));
  }

  @Test
  void aForeignTokenAndANegativeSizeAreRefused() {
    assertThrows(HaqException.class, () -> Page.of("x", 0, 7));
    assertThrows(HaqException.class, () -> Page.of("8", 0, 7));
    assertThrows(HaqException.class, () -> Page.of("", -1, 7));
  }
}
