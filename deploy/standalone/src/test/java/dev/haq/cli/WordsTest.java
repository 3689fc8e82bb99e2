package dev.haq.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.nio.file.Path;
import java.util.List;
import java.util.NoSuchElementException;
import org.junit.jupiter.api.Test;

class WordsTest {
  @Test
  void aLineIsDividedAtItsSpacesAndNotAtThoseOfItsValues() {
    assertEquals(
        List.of("table", "--out", "my files/t.npy", "--bits", "8,4"),
        Words.of(" table --out %s  --bits\n%s,%s", Path.of("my files/t.npy"), 8, 4));
  }

  @Test
  void aValueTooManyOrTooFewIsAMistake() {
    assertThrows(IllegalArgumentException.class, () -> Words.of("serve", "--port"));
    assertThrows(NoSuchElementException.class, () -> Words.of("serve --port %s"));
  }
}
