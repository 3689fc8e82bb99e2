package dev.haq.quantizer.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.haq.model.DataSelection;
import dev.haq.model.HaqException;
import dev.haq.model.Reason;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.commons.compress.archivers.zip.ZipArchiveEntry;
import org.apache.commons.compress.archivers.zip.ZipArchiveOutputStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Every format, told from the file alone, gives the images and labels that were put in. */
final class FormatsTest {
  private static final byte[] TWELVE = {0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100, 110};

  @TempDir Path temp;
  private DatasetStore store;

  @BeforeEach
  void open() {
    store = new DatasetStore(temp, ArchiveLimits.DEFAULT, DatasetStore.USUAL_PREPARED_BYTES);
  }

  @Test
  void aTarGzOfClassFoldersIsTheZipOfTheSame() throws IOException {
    DatasetInfo tar = Samples.store(store, NumberArrays.tarGz(Samples.cats()));
    DatasetInfo zip = Samples.store(store, Samples.zip(Samples.cats()));
    assertEquals(DatasetFormat.CLASS_FOLDERS_TAR_GZ, tar.format());
    assertEquals(zip.images(), tar.images());
    assertSameImages(zip, tar);
  }

  @Test
  void aTarGzMadeInItsOwnFolderHasThatFolderLeftOut() throws IOException {
    Map<String, byte[]> files = new LinkedHashMap<>();
    files.put("./", new byte[0]);
    Samples.cats().forEach((name, bytes) -> files.put("./" + name, bytes));
    DatasetInfo tar = Samples.store(store, NumberArrays.tarGz(files));
    assertSameImages(Samples.store(store, Samples.zip(Samples.cats())), tar);
  }

  @Test
  void namesInAZipMayBeInCodePage437() throws IOException {
    Map<String, byte[]> files = new LinkedHashMap<>();
    Samples.cats()
        .forEach(
            (name, bytes) ->
                files.put(name.replace("cat", "K\u00e4tzchen").replace("dog", "R\u00fcde"), bytes));
    for (String charset : new String[] {"IBM437", "UTF-8"}) {
      DatasetInfo stored = Samples.store(store, unmarked(files, charset));
      assertEquals(6, stored.images());
      try (ImageSource source = store.open(stored)) {
        assertTrue(source.name(0).contains("K\u00e4tzchen"), source.name(0));
        assertTrue(source.name(5).contains("R\u00fcde"), source.name(5));
        assertEquals(16 * 3, source.decode(5).pixels().length);
      }
    }
  }

  /** A zip whose names say nothing of their charset. */
  private static byte[] unmarked(Map<String, byte[]> files, String charset) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (ZipArchiveOutputStream zip = new ZipArchiveOutputStream(bytes)) {
      zip.setEncoding(charset);
      zip.setUseLanguageEncodingFlag(false);
      for (Map.Entry<String, byte[]> file : files.entrySet()) {
        zip.putArchiveEntry(new ZipArchiveEntry(file.getKey()));
        zip.write(file.getValue());
        zip.closeArchiveEntry();
      }
    }
    return bytes.toByteArray();
  }

  @Test
  void ofCifar100sTwoLabelsTheFineOneCounts() throws IOException {
    byte[] file = new byte[2 * 3074];
    file[0] = 3;
    file[1] = 77;
    file[2] = 5;
    file[3074] = 19;
    file[3075] = 99;
    DatasetInfo stored = Samples.store(store, file);
    assertEquals(DatasetFormat.CIFAR100_BINARY, stored.format());
    assertEquals(100, stored.classes());
    try (ImageSource source = store.open(stored)) {
      assertEquals(77, source.label(0));
      assertEquals(5, source.decode(0).pixels()[0]);
      assertEquals(99, source.label(1));
    }
  }

  @Test
  void idxFilesMayBePackedOnceMore() throws IOException {
    byte[] images = NumberArrays.idx(TWELVE, 3, 2, 2);
    byte[] labels = NumberArrays.idx(new byte[] {7, 0, 9}, 3);
    Map<String, byte[]> plain = new LinkedHashMap<>();
    plain.put("t10k-images-idx3-ubyte", images);
    plain.put("t10k-labels-idx1-ubyte", labels);
    Map<String, byte[]> packed = new LinkedHashMap<>();
    packed.put("mnist/t10k-labels-idx1-ubyte.gz", NumberArrays.gzip(labels));
    packed.put("mnist/t10k-images-idx3-ubyte.gz", NumberArrays.gzip(images));
    for (Map<String, byte[]> files : List.of(plain, packed)) {
      DatasetInfo stored = Samples.store(store, Samples.zip(files));
      assertEquals(DatasetFormat.IDX_ZIP, stored.format());
      assertTwelve(stored, 7, 0, 9);
    }
  }

  @Test
  void idxFilesAreToldByTheirHeadsWhateverTheyAreCalled() throws IOException {
    byte[] images = NumberArrays.idx(TWELVE, 3, 2, 2);
    byte[] labels = NumberArrays.idx(new byte[] {7, 0, 9}, 3);
    Map<String, byte[]> files = new LinkedHashMap<>();
    files.put("mnist/", new byte[0]);
    files.put("mnist/broken.gz", new byte[] {0x1F, (byte) 0x8B, 0});
    files.put("mnist/a.gz", NumberArrays.gzip(images));
    files.put("mnist/b", labels);
    HaqException broken =
        assertThrows(HaqException.class, () -> Samples.store(store, Samples.zip(files)));
    assertTrue(broken.getMessage().contains("cannot be unpacked"), broken.getMessage());
    files.remove("mnist/broken.gz");
    DatasetInfo stored = Samples.store(store, Samples.zip(files));
    assertEquals(DatasetFormat.IDX_ZIP, stored.format());
    assertTwelve(stored, 7, 0, 9);
  }

  @Test
  void npzLabelsMayBeAnyIntegers() throws IOException {
    byte[] images = NumberArrays.npy("|u1", "(3, 2, 2)", TWELVE);
    byte[] wide =
        ByteBuffer.allocate(24)
            .order(ByteOrder.LITTLE_ENDIAN)
            .putLong(7)
            .putLong(0)
            .putLong(9)
            .array();
    byte[] bigEndian =
        ByteBuffer.allocate(6).putShort((short) 7).putShort((short) 0).putShort((short) 9).array();
    for (byte[] labels :
        List.of(
            NumberArrays.npy("<i8", "(3,)", wide), NumberArrays.npy(">u2", "(3, 1)", bigEndian))) {
      DatasetInfo stored = Samples.store(store, NumberArrays.npz(images, labels));
      assertEquals(DatasetFormat.NPZ, stored.format());
      assertTwelve(stored, 7, 0, 9);
    }
  }

  @Test
  void npzImagesMayHaveColours() throws IOException {
    byte[] images = NumberArrays.npy("|u1", "(2, 1, 2, 3)", TWELVE);
    byte[] labels = NumberArrays.npy("|u1", "(2,)", new byte[] {1, 0});
    DatasetInfo stored = Samples.store(store, NumberArrays.npz(images, labels));
    try (ImageSource source = store.open(stored)) {
      assertArrayEquals(new byte[] {60, 70, 80, 90, 100, 110}, source.decode(1).pixels());
    }
  }

  @Test
  void whatIsWrongWithAnArrayIsSaid() {
    byte[] labels = NumberArrays.npy("|u1", "(3,)", new byte[3]);
    assertRefused("not integers", NumberArrays.npy("<f4", "(3, 2, 2)", new byte[48]), labels);
    assertRefused(
        "images are uint8", NumberArrays.npy("|u1", "(3, 3, 2, 2)", new byte[36]), labels);
    assertRefused(
        "images end after 2 of the 3", NumberArrays.npy("|u1", "(3, 2, 2)", new byte[11]), labels);
    assertRefused("4 images", NumberArrays.npy("|u1", "(4, 2, 2)", new byte[16]), labels);
    assertRefused(
        "too large", NumberArrays.npy("|u1", "(99999999999, 2, 2)", new byte[16]), labels);
    assertRefused(
        "1 images of 9000x8000 (height x width)",
        NumberArrays.npy("|u1", "(1, 9000, 8000)", new byte[0]),
        labels);
    assertRefused(
        "label 1 in labels.npy is -1",
        NumberArrays.npy("|u1", "(3, 2, 2)", TWELVE),
        NumberArrays.npy("|i1", "(3,)", new byte[] {0, -1, 0}));
  }

  @Test
  void anArrayLargerThanTheLimitIsRefusedBeforeItIsUnpacked() {
    store =
        new DatasetStore(
            temp,
            new ArchiveLimits(1 << 20, 100, 1 << 20, 1 << 20, 200),
            DatasetStore.USUAL_PREPARED_BYTES);
    byte[] images = NumberArrays.idx(new byte[16], 1_000_000, 28, 28);
    Map<String, byte[]> files = new LinkedHashMap<>();
    files.put("images-idx3-ubyte.gz", NumberArrays.gzip(images));
    files.put(
        "labels-idx1-ubyte.gz",
        NumberArrays.gzip(NumberArrays.idx(new byte[1_000_000], 1_000_000)));
    HaqException error =
        assertThrows(HaqException.class, () -> Samples.store(store, Samples.zip(files)));
    assertEquals(Reason.TOO_LARGE, error.reason());
  }

  @Test
  void tarEntriesThatLeadOutOrLieAboutTheirNamesAreRefused() {
    Map<String, byte[]> out = Map.of("cat/../../evil.png", Samples.png(4, 4, 0));
    assertRefusedTar("leads out", NumberArrays.tarGz(out));
    Map<String, byte[]> deep = new LinkedHashMap<>();
    deep.put("././@LongLink", new byte[2 << 20]);
    deep.put("cat/1.png", Samples.png(4, 4, 0));
    assertRefusedTar("longer than it says", NumberArrays.tarGz(deep));
    byte[] whole = NumberArrays.tarGz(Samples.cats());
    assertRefusedTar("not a readable tar.gz", java.util.Arrays.copyOf(whole, whole.length / 2));
  }

  @Test
  void onlyClassesThatHaveImagesCount() {
    Map<String, byte[]> files = Samples.cats();
    files.put(
        "classes.txt",
        Samples.text(
            IntStream.range(0, 5)
                .mapToObj(i -> i == 1 ? "cat" : i == 2 ? "dog" : "other" + i)
                .reduce("", (a, b) -> a + b + "\n")));
    assertEquals(3, Samples.store(store, Samples.zip(files)).classes());
  }

  @Test
  void nothingIsLeftOfWhatIsRefused() throws IOException {
    assertThrows(HaqException.class, () -> Samples.store(store, NumberArrays.gzip(new byte[5000])));
    try (Stream<Path> left = Files.list(temp.resolve(".incoming"))) {
      assertEquals(0, left.count());
    }
  }

  private void assertTwelve(DatasetInfo stored, int... labels) throws IOException {
    assertEquals(3, stored.images());
    try (ImageSource source = store.open(stored)) {
      for (int i = 0; i < 3; i++) {
        assertEquals(labels[i], source.label(i));
        byte[] pixels = source.decode(i).pixels();
        for (int p = 0; p < 4; p++) {
          assertEquals(TWELVE[4 * i + p], pixels[3 * p]);
          assertEquals(TWELVE[4 * i + p], pixels[3 * p + 2]);
        }
      }
    }
  }

  private void assertSameImages(DatasetInfo expected, DatasetInfo actual) {
    Datasets datasets = new Datasets(store);
    LabelledImages a = Samples.images(datasets, DataSelection.all(expected.id()), 3, 4, 4);
    LabelledImages b = Samples.images(datasets, DataSelection.all(actual.id()), 3, 4, 4);
    assertEquals(a.size(), b.size());
    byte[] one = new byte[3 * 4 * 4];
    byte[] other = new byte[3 * 4 * 4];
    for (int i = 0; i < a.size(); i++) {
      a.readBytes(i, one);
      b.readBytes(i, other);
      assertArrayEquals(one, other);
      assertEquals(a.label(i), b.label(i));
    }
  }

  private void assertRefused(String what, byte[] images, byte[] labels) {
    assertRefusedTar(what, NumberArrays.npz(images, labels));
  }

  private void assertRefusedTar(String what, byte[] file) {
    HaqException error = assertThrows(HaqException.class, () -> Samples.store(store, file));
    assertEquals(Reason.INVALID_DATASET, error.reason(), error.getMessage());
    assertTrue(error.getMessage().contains(what), error.getMessage());
  }
}
