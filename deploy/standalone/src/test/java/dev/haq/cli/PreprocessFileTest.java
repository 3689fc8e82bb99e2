package dev.haq.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.haq.model.HaqException;
import dev.haq.model.Preprocessing;
import java.util.List;
import org.junit.jupiter.api.Test;

class PreprocessFileTest {
  @Test
  void everyKeyIsRead() {
    Preprocessing read =
        PreprocessFile.parse(
            """
            resize: 256
            crop: 224
            mean: [103.9, 116.8, 123.7]
            std: [1, 2, 3.5]
            channels: BGR
            """,
            "p.yaml");
    assertEquals(
        new Preprocessing(
            256,
            224,
            List.of(103.9, 116.8, 123.7),
            List.of(1.0, 2.0, 3.5),
            Preprocessing.ChannelOrder.BGR),
        read);
  }

  @Test
  void whatIsWrittenIsReadBack() {
    Preprocessing imagenet = Preprocessing.preset("imagenet");
    assertEquals(imagenet, PreprocessFile.parse(PreprocessFile.text(imagenet), "p.yaml"));
  }

  @Test
  void aPresetCanBeTheStart() {
    assertEquals(
        Preprocessing.preset("cifar10"), PreprocessFile.parse("preset: cifar10", "p.yaml"));
    assertEquals(Preprocessing.preset("tensorflow"), PreprocessFile.option("tensorflow"));
  }

  @Test
  void errorsNameTheKey() {
    assertRefused("colour: RGB", "no key 'colour'");
    assertRefused("resize: big", "resize must be");
    assertRefused("mean: [1, 2]", "three values");
    assertRefused("std: [0, 1, 1]", "above 0");
    assertRefused("channels: GBR", "RGB or BGR");
    assertRefused("just text", "expected the keys");
    assertThrows(HaqException.class, () -> PreprocessFile.option("nowhere.yaml"));
  }

  private static void assertRefused(String text, String expected) {
    HaqException e = assertThrows(HaqException.class, () -> PreprocessFile.parse(text, "p.yaml"));
    assertTrue(e.getMessage().contains(expected), e.getMessage());
  }
}
