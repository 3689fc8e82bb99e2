package dev.haq.quantizer.data;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.haq.model.DataSelection;
import dev.haq.model.DataSelection.Split;
import dev.haq.model.HaqException;
import dev.haq.model.Preprocessing;
import dev.haq.model.Reason;
import dev.haq.quantizer.builtin.BuiltinShapes;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class DatasetsTest {
  @TempDir Path temp;
  private DatasetStore store;
  private Datasets datasets;

  @BeforeEach
  void open() {
    store = new DatasetStore(temp, ArchiveLimits.DEFAULT);
    datasets = new Datasets(store, Datasets.DEFAULT_CACHE_BYTES);
  }

  @Test
  void theBuiltInPartsHaveTheirSizesAndBalancedLabels() {
    assertEquals(1000, shapes(Split.SEARCH).size());
    assertEquals(2000, shapes(Split.HELD_OUT).size());
    assertEquals(64, shapes(Split.CALIBRATION).size());
    int[] counts = new int[BuiltinShapes.CLASSES];
    LabelledImages search = shapes(Split.SEARCH);
    for (int i = 0; i < search.size(); i++) {
      counts[search.label(i)]++;
    }
    for (int count : counts) {
      assertEquals(100, count);
    }
  }

  @Test
  void imagesAreNormalisedWhenTheyAreRead() {
    LabelledImages search = shapes(Split.SEARCH);
    byte[] pixels = BuiltinShapes.image(BuiltinShapes.Part.SEARCH.image(3));
    float[] batch = new float[2 * search.floatsPerImage()];
    search.read(3, batch, search.floatsPerImage());
    for (int i = 0; i < pixels.length; i++) {
      float expected = (float) (((pixels[i] & 0xFF) - 127.5) / 64);
      assertEquals(expected, batch[search.floatsPerImage() + i]);
    }
  }

  @Test
  void aSelectionIsPreparedOnce() {
    assertSame(shapes(Split.SEARCH), shapes(Split.SEARCH));
  }

  @Test
  void theLeastRecentlyUsedLeaveAFullCache() {
    long one = 1000L * BuiltinShapes.IMAGE_BYTES;
    datasets = new Datasets(store, one + 100);
    LabelledImages search = shapes(Split.SEARCH);
    shapes(Split.CALIBRATION);
    assertNotSame(search, shapes(Split.SEARCH));
  }

  @Test
  void moreThanTheCacheHoldsIsRefusedWithWhatWouldFit() {
    datasets = new Datasets(store, 100L * BuiltinShapes.IMAGE_BYTES);
    HaqException error = assertThrows(HaqException.class, () -> shapes(Split.SEARCH));
    assertEquals(Reason.TOO_LARGE, error.reason());
    assertEquals(
        "1000 images of 32x32 take 2 MB, 0 MB are allowed: choose at most 100 images",
        error.getMessage());
  }

  @Test
  void labelsTheModelDoesNotKnowAreRefused() {
    DatasetInfo stored = Samples.store(store, Samples.cifar(3, 10, 4));
    LabelledImages images = datasets.images(DataSelection.all(stored.id()), 32, 32);
    images.requireLabelsBelow(11);
    HaqException error = assertThrows(HaqException.class, () -> images.requireLabelsBelow(10));
    assertEquals(Reason.LABEL_OUT_OF_RANGE, error.reason());
    assertEquals(
        "record 1 has label 10, the model tells 10 classes apart (0 to 9): use data of this model's"
            + " classes, or list them in index order in classes.txt",
        error.getMessage());
  }

  @Test
  void imagesOfAnotherSizeThanTheModelsAreRefused() {
    DatasetInfo stored = Samples.store(store, Samples.zip(Samples.cats()));
    HaqException error =
        assertThrows(
            HaqException.class, () -> datasets.images(DataSelection.all(stored.id()), 32, 32));
    assertEquals(Reason.IMAGE_SIZE_MISMATCH, error.reason());
  }

  @Test
  void theSelectionsPreprocessingComesBeforeTheDatasets() {
    DatasetInfo stored = Samples.store(store, Samples.zip(Samples.cats()));
    DataSelection plain = DataSelection.all(stored.id());
    DataSelection scaled =
        new DataSelection(
            stored.id(), Optional.of(Preprocessing.preset("tensorflow")), Split.ALL, 0, 64, 0, 0.5);
    float[] raw = new float[48];
    datasets.images(plain, 4, 4).read(0, raw, 0);
    float[] normalised = new float[3 * 224 * 224];
    LabelledImages large = datasets.images(scaled, 224, 224);
    assertEquals(6, large.size());
    large.read(0, normalised, 0);
    assertEquals((float) ((raw[0] - 127.5) / 127.5), normalised[0]);
  }

  @Test
  void theSharedCifarFileHoldsAThousandImages() throws IOException {
    DatasetInfo stored =
        Samples.store(store, Files.readAllBytes(Samples.shared("cifar10/test_lossless_1000.bin")));
    assertEquals(1000, stored.images());
    assertEquals(10, stored.classes());
    LabelledImages images = datasets.images(DataSelection.all(stored.id()), 32, 32);
    images.requireLabelsBelow(10);
    assertEquals(1000, images.size());
  }

  private LabelledImages shapes(Split split) {
    return datasets.images(
        DataSelection.all(BuiltinShapes.ID).withSplit(split),
        BuiltinShapes.SIDE,
        BuiltinShapes.SIDE);
  }
}
