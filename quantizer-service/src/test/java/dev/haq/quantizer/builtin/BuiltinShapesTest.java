package dev.haq.quantizer.builtin;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.haq.quantizer.builtin.BuiltinShapes.Part;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

final class BuiltinShapesTest {
  @Test
  void everyMachineDrawsTheseBytes() throws NoSuchAlgorithmException {
    MessageDigest digest = MessageDigest.getInstance("SHA-256");
    for (int position = 0; position < 100; position++) {
      digest.update(BuiltinShapes.image(Part.SEARCH.image(position)));
    }
    assertEquals(
        "a5ab5cd54f11ef1094cb684292788a0acb672beb8c6aa2057dbcc7d6a0f4ba04",
        HexFormat.of().formatHex(digest.digest()),
        "the model has to be trained again");
  }

  @Test
  void anImageDoesNotDependOnTheOnesDrawnBefore() {
    byte[] alone = BuiltinShapes.image(4711);
    BuiltinShapes.image(4710);
    assertTrue(Arrays.equals(alone, BuiltinShapes.image(4711)));
  }

  @Test
  void partsShareNoNumberAndStayClearOfTraining() {
    Set<Long> seen = new HashSet<>();
    for (Part part : Part.values()) {
      for (int position = 0; position < part.images(); position++) {
        assertTrue(seen.add(part.image(position)));
        assertTrue(part.image(position) < BuiltinShapes.FIRST_TRAINING_IMAGE);
      }
    }
  }

  @Test
  void imagesOfDifferentPartsDiffer() {
    Set<Integer> hashes = new HashSet<>();
    for (Part part : Part.values()) {
      for (int position = 0; position < 100; position++) {
        assertTrue(hashes.add(Arrays.hashCode(BuiltinShapes.image(part.image(position)))));
      }
    }
  }

  @Test
  void tenNeighboursHoldEveryClass() {
    assertEquals(10, IntStream.range(300, 310).map(BuiltinShapes::label).distinct().count());
  }

  @Test
  void theModelIsSmall() {
    assertTrue(BuiltinShapes.model().length < 200_000);
  }
}
