package dev.haq.quantizer.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.haq.model.DataSelection;
import dev.haq.model.DataSelection.Split;
import dev.haq.model.HaqException;
import dev.haq.model.Preprocessing;
import dev.haq.model.Preprocessing.ChannelOrder;
import dev.haq.model.Reason;
import dev.haq.quantizer.builtin.BuiltinShapes;
import java.io.IOException;
import java.lang.ref.WeakReference;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ForkJoinWorkerThread;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class DatasetsTest {
  @TempDir Path temp;
  private DatasetStore store;
  private Datasets datasets;

  @BeforeEach
  void open() {
    store = new DatasetStore(temp, ArchiveLimits.DEFAULT, DatasetStore.USUAL_PREPARED_BYTES);
    datasets = new Datasets(store);
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
    float[] batch = new float[2 * pixels.length];
    search.read(3, batch, pixels.length);
    for (int i = 0; i < pixels.length; i++) {
      float expected = (float) (((pixels[i] & 0xFF) - 127.5) / 64);
      assertEquals(expected, batch[pixels.length + i]);
    }
  }

  @Test
  void aSelectionIsPreparedOnce() {
    assertSame(shapes(Split.SEARCH), shapes(Split.SEARCH));
  }

  @Test
  void aCallerThatLeavesEndsTheDecodingAndTheNextGoesOn() {
    String many = Samples.store(store, Samples.zip(pictures(60))).id();
    AtomicInteger asked = new AtomicInteger();
    HaqException left =
        assertThrows(
            HaqException.class,
            () ->
                datasets.images(resized(many), 3, 16, 16, () -> asked.incrementAndGet() > 60 + 20));
    assertEquals(Reason.CANCELLED, left.reason());
    assertEquals(60, Samples.images(datasets, resized(many), 3, 16, 16).size());
  }

  @Test
  void whatIsHeldOfADatasetThatAnotherReplicaHasDeletedIsLetGo() throws Exception {
    String doomed = Samples.store(store, Samples.zip(pictures(6))).id();
    WeakReference<LabelledImages> held = new WeakReference<>(images(doomed, () -> false));
    new DatasetStore(temp, ArchiveLimits.DEFAULT, DatasetStore.USUAL_PREPARED_BYTES).delete(doomed);
    assertLetGo(held);
  }

  @Test
  void whatIsHeldOfADatasetThatWasDeletedWhileItWasDecodedIsLetGo() throws Exception {
    String doomed = Samples.store(store, Samples.zip(pictures(6))).id();
    AtomicBoolean deleted = new AtomicBoolean();
    WeakReference<LabelledImages> held =
        new WeakReference<>(
            images(
                doomed,
                () -> {
                  if (deleted.compareAndSet(false, true)) {
                    store.delete(doomed);
                    datasets.forget(doomed);
                  }
                  return false;
                }));
    assertTrue(deleted.get());
    assertLetGo(held);
  }

  private LabelledImages images(String dataset, BooleanSupplier cancelled) {
    return datasets.images(resized(dataset), 3, 16, 16, cancelled);
  }

  private void assertLetGo(WeakReference<LabelledImages> held) throws InterruptedException {
    shapes(Split.CALIBRATION);
    while (held.get() != null) {
      System.gc();
      Thread.sleep(10);
    }
  }

  @Test
  void aCallerThatLeavesDoesNotWaitForAnotherToHaveItsImagesDecoded() throws Exception {
    String many = Samples.store(store, Samples.zip(pictures(60))).id();
    CountDownLatch decoding = new CountDownLatch(1);
    CountDownLatch released = new CountDownLatch(1);
    CompletableFuture<LabelledImages> first =
        CompletableFuture.supplyAsync(
            () -> datasets.images(resized(many), 3, 16, 16, () -> held(decoding, released)),
            work -> new Thread(work).start());
    decoding.await();
    HaqException left =
        assertThrows(
            HaqException.class, () -> datasets.images(resized(many), 3, 16, 16, () -> true));
    assertEquals(Reason.CANCELLED, left.reason());
    released.countDown();
    assertSame(first.get(), Samples.images(datasets, resized(many), 3, 16, 16));
  }

  /**
   * A caller that is there, and is asked for it only once it is let. Threads that all decoding
   * shares are not held: nobody else's images would be decoded either.
   */
  private static boolean held(CountDownLatch begun, CountDownLatch released) {
    if (Thread.currentThread() instanceof ForkJoinWorkerThread) {
      return false;
    }
    begun.countDown();
    try {
      released.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    return false;
  }

  @Test
  void aFewImagesDoNotWaitForWholeSelections() throws Exception {
    CountDownLatch decoding = new CountDownLatch(2);
    CountDownLatch released = new CountDownLatch(1);
    List<CompletableFuture<LabelledImages>> whole = new ArrayList<>();
    for (int i = 0; i < 2; i++) {
      int images = 100 + i;
      String many = Samples.store(store, Samples.zip(pictures(images))).id();
      AtomicInteger asked = new AtomicInteger();
      CompletableFuture<LabelledImages> selection = new CompletableFuture<>();
      new Thread(
              () ->
                  selection.completeAsync(
                      () ->
                          datasets.images(
                              resized(many),
                              3,
                              16,
                              16,
                              () -> asked.incrementAndGet() > images && held(decoding, released)),
                      Runnable::run))
          .start();
      whole.add(selection);
    }
    decoding.await();
    String other = Samples.store(store, Samples.zip(pictures(10))).id();
    assertFalse(datasets.arePrepared(resized(other), List.of(3, 16, 16)));
    assertEquals(10, Samples.images(datasets, resized(other), 3, 16, 16).size());
    assertTrue(datasets.arePrepared(resized(other), List.of(3, 16, 16)));
    released.countDown();
    for (CompletableFuture<LabelledImages> selection : whole) {
      assertTrue(selection.get().size() >= 100);
    }
  }

  private static DataSelection resized(String dataset) {
    return DataSelection.all(dataset)
        .withPreprocessing(
            Optional.of(
                new Preprocessing(
                    16, 16, List.of(0.0, 0.0, 0.0), List.of(1.0, 1.0, 1.0), ChannelOrder.RGB)));
  }

  private static Map<String, byte[]> pictures(int count) {
    Map<String, byte[]> files = new LinkedHashMap<>();
    for (int i = 0; i < count; i++) {
      files.put("a/" + i + ".png", Samples.png(32, 32, 0x010101 * i));
    }
    return files;
  }

  @Test
  void anotherProcessFindsWhatWasPrepared() throws IOException {
    DatasetInfo stored = Samples.store(store, Samples.zip(Samples.cats()));
    float[] first = read(Samples.images(datasets, DataSelection.all(stored.id()), 3, 4, 4), 5);
    FileTime written = Files.getLastModifiedTime(prepared().get(0));
    // Without the images themselves: were one decoded again, this would fail.
    Datasets restarted =
        new Datasets(
            new DatasetStore(temp, ArchiveLimits.DEFAULT, DatasetStore.USUAL_PREPARED_BYTES));
    Path archive = temp.resolve(stored.id().substring("sha256:".length())).resolve("content");
    Files.write(archive, withBlankPictures());
    assertArrayEquals(
        first, read(Samples.images(restarted, DataSelection.all(stored.id()), 3, 4, 4), 5));
    assertTrue(Files.getLastModifiedTime(prepared().get(0)).compareTo(written) >= 0);
  }

  @Test
  void picturesWhosePreprocessingIsKnownAreDecodedOnceAtImport() throws IOException {
    Map<String, byte[]> files = Samples.cats();
    DatasetInfo plain = Samples.store(store, Samples.zip(files));
    files.put("preprocess.yaml", Samples.text("preset: raw\nresize_short_side: 3\ncrop: 2\n"));
    DatasetInfo cropped = Samples.store(store, Samples.zip(files));
    assertEquals(2, prepared().size());
    Map.of(plain, 4, cropped, 2).forEach(this::hasItsPicturesWithoutTheArchive);
    assertEquals(2, prepared().size());
  }

  private void hasItsPicturesWithoutTheArchive(DatasetInfo stored, int side) {
    Path archive = temp.resolve(stored.id().substring("sha256:".length())).resolve("content");
    try {
      Files.write(archive, withBlankPictures());
    } catch (IOException e) {
      throw new AssertionError(e);
    }
    LabelledImages images = Samples.images(datasets, DataSelection.all(stored.id()), 3, side, side);
    byte[] pixels = new byte[images.channels() * images.height() * images.width()];
    for (int i = 0; i < images.size(); i++) {
      images.readBytes(i, pixels);
      assertFalse(pixels[0] == -1 && pixels[side * side] == -1, "picture " + i + " is blank");
    }
  }

  @Test
  void picturesOfManySizesLeaveNothingHalfPreparedBesideTheArchive() throws IOException {
    Map<String, byte[]> files = Samples.cats();
    files.put("dog/large.png", Samples.png(9, 9, 0));
    DatasetInfo stored = Samples.store(store, Samples.zip(files));
    Path dataset = temp.resolve(stored.id().substring("sha256:".length()));
    try (Stream<Path> kept = Files.list(dataset)) {
      assertEquals(
          Set.of(dataset.resolve("content"), dataset.resolve("dataset.json")),
          kept.collect(Collectors.toSet()));
    }
    assertEquals(List.of(), prepared());
  }

  /** Same names, other pixels. */
  private static byte[] withBlankPictures() {
    Map<String, byte[]> files = new LinkedHashMap<>();
    Samples.cats().forEach((name, bytes) -> files.put(name, Samples.png(4, 4, 0xFFFFFF)));
    return Samples.zip(files);
  }

  @Test
  void aDamagedPreparedImageIsPreparedAgain() throws IOException {
    DatasetInfo stored = Samples.store(store, Samples.zip(Samples.cats()));
    float[] good = read(Samples.images(datasets, DataSelection.all(stored.id()), 3, 4, 4), 0);
    Path file = prepared().get(0);
    byte[] bytes = Files.readAllBytes(file);
    for (int i = 0; i < bytes.length; i += 7) {
      bytes[i] ^= 0x55;
    }
    Files.write(file, bytes);
    Datasets restarted = new Datasets(store);
    assertArrayEquals(
        good, read(Samples.images(restarted, DataSelection.all(stored.id()), 3, 4, 4), 0));
  }

  @Test
  void onlyWhatIsSelectedIsPrepared() {
    Map<String, byte[]> files = Samples.cats();
    files.put("dog/large.png", Samples.png(9, 9, 0));
    DatasetInfo stored = Samples.store(store, Samples.zip(files));
    DataSelection all = DataSelection.all(stored.id());
    assertThrows(HaqException.class, () -> Samples.images(datasets, all, 3, 4, 4));
    int fitting = 0;
    for (int seed = 0; seed < 10; seed++) {
      DataSelection one =
          new DataSelection(stored.id(), Optional.empty(), Split.ALL, 1, 64, seed, 0.5);
      try {
        fitting += Samples.images(datasets, one, 3, 4, 4).size();
      } catch (HaqException e) {
        assertEquals(Reason.IMAGE_SIZE_MISMATCH, e.reason());
      }
    }
    assertTrue(fitting > 0, "most seeds choose an image that fits");
  }

  @Test
  void theFilesUsedLeastRecentlyLeaveAFullFolder() throws IOException {
    store = new DatasetStore(temp, ArchiveLimits.DEFAULT, 1000L * BuiltinShapes.IMAGE_BYTES);
    datasets = new Datasets(store);
    LabelledImages search = shapes(Split.SEARCH);
    float[] before = read(search, 7);
    DatasetInfo stored = Samples.store(store, Samples.cifar(3, 1, 4));
    Samples.images(datasets, DataSelection.all(stored.id()), 3, 32, 32);
    assertEquals(1, prepared().size());
    assertArrayEquals(before, read(search, 7), "whoever reads it keeps it");
  }

  @Test
  void colourModelsTakeGreyImagesAndGreyModelsColourOnes() {
    byte[] arrays =
        NumberArrays.npz(
            NumberArrays.npy("|u1", "(3, 4, 4)", ramp(48)),
            NumberArrays.npy("|u1", "(3,)", new byte[] {0, 1, 2}));
    DatasetInfo stored = Samples.store(store, arrays);
    DataSelection all = DataSelection.all(stored.id());
    LabelledImages grey = Samples.images(datasets, all, 1, 4, 4);
    LabelledImages colour = Samples.images(datasets, all, 3, 4, 4);
    assertEquals(1, grey.channels());
    float[] one = read(grey, 1);
    float[] three = read(colour, 1);
    for (int c = 0; c < 3; c++) {
      assertArrayEquals(one, Arrays.copyOfRange(three, 16 * c, 16 * (c + 1)));
    }
  }

  @Test
  void aGreyModelNeedsOneMean() {
    DataSelection selection =
        new DataSelection(
            BuiltinShapes.ID,
            Optional.of(Preprocessing.preset("cifar10")),
            Split.ALL,
            5,
            64,
            0,
            0.5);
    HaqException error =
        assertThrows(HaqException.class, () -> Samples.images(datasets, selection, 1, 32, 32));
    assertEquals(Reason.INVALID_ARGUMENT, error.reason());
  }

  @Test
  void storedBytesAndTheirMeaningGiveTheSameNumbers() {
    LabelledImages search = shapes(Split.SEARCH);
    float[] numbers = read(search, 11);
    byte[] bytes = new byte[search.channels() * search.height() * search.width()];
    search.readBytes(11, bytes);
    float[][] meaning = search.byteValues();
    int area = search.height() * search.width();
    for (int i = 0; i < numbers.length; i++) {
      assertEquals(numbers[i], meaning[i / area][bytes[i] & 0xFF]);
    }
  }

  private static byte[] ramp(int count) {
    byte[] bytes = new byte[count];
    for (int i = 0; i < count; i++) {
      bytes[i] = (byte) (5 * i);
    }
    return bytes;
  }

  private static float[] read(LabelledImages images, int image) {
    float[] values = new float[images.channels() * images.height() * images.width()];
    images.read(image, values, 0);
    return values;
  }

  private List<Path> prepared() throws IOException {
    try (Stream<Path> files = Files.list(temp.resolve(".prepared"))) {
      return files.toList();
    }
  }

  @Test
  void labelsTheModelDoesNotKnowAreRefused() {
    DatasetInfo stored = Samples.store(store, Samples.cifar(3, 10, 4));
    LabelledImages images = Samples.images(datasets, DataSelection.all(stored.id()), 3, 32, 32);
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
            HaqException.class,
            () -> Samples.images(datasets, DataSelection.all(stored.id()), 3, 32, 32));
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
    Samples.images(datasets, plain, 3, 4, 4).read(0, raw, 0);
    float[] normalised = new float[3 * 224 * 224];
    LabelledImages large = Samples.images(datasets, scaled, 3, 224, 224);
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
    LabelledImages images = Samples.images(datasets, DataSelection.all(stored.id()), 3, 32, 32);
    images.requireLabelsBelow(10);
    assertEquals(1000, images.size());
  }

  private LabelledImages shapes(Split split) {
    return Samples.images(
        datasets,
        DataSelection.all(BuiltinShapes.ID).withSplit(split),
        3,
        BuiltinShapes.SIDE,
        BuiltinShapes.SIDE);
  }
}
