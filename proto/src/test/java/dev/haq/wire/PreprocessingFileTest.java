package dev.haq.wire;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.haq.model.HaqException;
import dev.haq.model.Preprocessing;
import dev.haq.model.Preprocessing.ChannelOrder;
import dev.haq.model.Reason;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;

final class PreprocessingFileTest {
  @Test
  void aPresetIsTakenByItsName() {
    assertEquals(Preprocessing.preset("tensorflow"), parse("preset: tensorflow"));
  }

  @Test
  void fieldsOverrideThePreset() {
    Preprocessing read = parse("preset: imagenet\ncrop: 192\nchannels: bgr\n");
    assertEquals(192, read.cropHeight());
    assertEquals(192, read.cropWidth());
    assertEquals(256, read.resizeShortSide());
    assertEquals(ChannelOrder.BGR, read.channels());
  }

  @Test
  void oneNumberIsMeanOrDeviationOfAllChannels() {
    Preprocessing read = parse("mean: 127.5\nstd: 64\n");
    assertEquals(List.of(127.5, 127.5, 127.5), read.mean());
    assertEquals(List.of(64.0, 64.0, 64.0), read.std());
    assertEquals(read, parse("mean: [127.5]\nstd: [64]"));
  }

  @Test
  void theFileMayBeginWithAByteOrderMark() {
    assertEquals(Preprocessing.preset("imagenet"), parse("\uFEFFpreset: imagenet\r\n"));
  }

  @Test
  void aFileInUtf16IsRefusedWithWhatItMustBe() {
    for (Charset charset : List.of(StandardCharsets.UTF_16, StandardCharsets.UTF_16LE)) {
      byte[] content = "preset: imagenet\n".getBytes(charset);
      HaqException e =
          assertThrows(HaqException.class, () -> PreprocessingFile.parse(content, "p.yaml"));
      assertEquals(Reason.INVALID_DATASET, e.reason());
      assertEquals(
          "p.yaml cannot be used: it must be UTF-8 and looks like UTF-16; save it as UTF-8",
          e.getMessage());
    }
  }

  @Test
  void jsonIsReadToo() {
    Preprocessing read = parse("{\"mean\": [1, 2, 3.5], \"std\": [4, 5, 6]}");
    assertEquals(List.of(1.0, 2.0, 3.5), read.mean());
    assertEquals(0, read.cropHeight());
  }

  @Test
  void resizeIsShortForTheShortSide() {
    assertEquals(256, parse("resize: 256").resizeShortSide());
  }

  @Test
  void whatIsWrittenIsReadBack() {
    Preprocessing imagenet = Preprocessing.preset("imagenet");
    assertEquals(imagenet, PreprocessingFile.read(PreprocessingFile.write(imagenet), "written"));
    assertTrue(PreprocessingFile.write(imagenet).get("crop").isInt());
    Preprocessing wide = parse("resize: 256\ncrop: 128x224");
    assertEquals(wide, PreprocessingFile.read(PreprocessingFile.write(wide), "written"));
  }

  @Test
  void aCropThatIsNoSquareHasItsHeightAndWidth() {
    Preprocessing read = parse("crop: 128x224");
    assertEquals(128, read.cropHeight());
    assertEquals(224, read.cropWidth());
    assertEquals(read, DataWire.fromProto(DataWire.toProto(read)));
  }

  @Test
  void theSideOfASquareIsAllThatAnOlderMessageHas() {
    Preprocessing imagenet = Preprocessing.preset("imagenet");
    assertEquals(0, DataWire.toProto(imagenet).getCropWidth());
    assertEquals(imagenet, DataWire.fromProto(DataWire.toProto(imagenet)));
  }

  @Test
  void meanAndDeviationOfPixelsFromZeroToOneAreRefused() {
    for (String unit :
        List.of(
            "mean: [0.485, 0.456, 0.406]\nstd: [0.229, 0.224, 0.225]", "mean: [0.5]\nstd: [0.5]")) {
      Preprocessing read = parse(unit); // as a dataset stored before that was looked at
      HaqException e = assertThrows(HaqException.class, read::ofPixelsTo255);
      assertTrue(e.getMessage().contains("multiply both by 255"), e.getMessage());
    }
    assertEquals(255, parse("mean: [0]\nstd: [255]").ofPixelsTo255().std().get(0));
  }

  @Test
  void cifarHasAPresetWithItsOwnMeanAndDeviation() {
    Preprocessing own = parse("preset: cifar10-own");
    assertEquals(List.of(125.3, 123.0, 113.9), own.mean());
    assertEquals(List.of(63.0, 62.1, 66.7), own.std());
  }

  @Test
  void mistakesAreNamed() {
    assertRefused("colour: RGB", "there is no field 'colour'");
    assertRefused("resize: big", "resize is \"big\"");
    assertRefused("crop: wide", "crop is \"wide\", not a whole number");
    assertRefused("crop: \"0x224\"", "crop 0x224 (height x width) must be pixels from 1 to 4096");
    assertRefused("mean: [1, 2]", "three values");
    assertRefused("mean: [1, 2, x]", "mean is [1,2,\"x\"], not three numbers, or one for all");
    assertRefused("std: wide", "std is \"wide\", not three numbers, or one for all");
    assertRefused("preset: lenet", "there is no preprocessing preset 'lenet'");
    assertRefused("std: [0, 1, 1]", "above 0");
    assertRefused("channels: XYZ", "not RGB or BGR");
    assertRefused("just words", "it has no fields");
    assertRefused("{a: [", "it is not YAML or JSON");
    assertRefused("", "it has no fields");
    assertRefused("crop: 192\ncrop: 224\n", "Duplicate field 'crop'");
  }

  private static Preprocessing parse(String text) {
    return PreprocessingFile.parse(text.getBytes(StandardCharsets.UTF_8), "preprocess.yaml");
  }

  private static void assertRefused(String text, String message) {
    HaqException error = assertThrows(HaqException.class, () -> parse(text));
    assertEquals(Reason.INVALID_DATASET, error.reason());
    assertTrue(error.getMessage().startsWith("preprocess.yaml cannot be used: "));
    assertTrue(error.getMessage().contains(message), error.getMessage());
    assertEquals(1, error.getMessage().lines().count(), error.getMessage());
  }
}
