package dev.haq.quantizer.data;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.haq.model.HaqException;
import dev.haq.model.Preprocessing;
import dev.haq.model.Reason;
import dev.haq.quantizer.builtin.BuiltinShapes;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.apache.commons.compress.archivers.zip.UnixStat;
import org.apache.commons.compress.archivers.zip.ZipArchiveEntry;
import org.apache.commons.compress.archivers.zip.ZipArchiveOutputStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class DatasetStoreTest {
  @TempDir Path temp;
  private DatasetStore store;

  @BeforeEach
  void open() {
    store = new DatasetStore(temp, ArchiveLimits.DEFAULT, DatasetStore.USUAL_PREPARED_BYTES);
  }

  @AfterEach
  void nothingIsLeftHalfDone() throws IOException {
    try (Stream<Path> incoming = Files.list(temp.resolve(".incoming"))) {
      assertEquals(List.of(), incoming.toList());
    }
  }

  @Test
  void anArchiveOfClassFoldersIsStoredUnderItsHash() {
    DatasetInfo stored = Samples.store(store, Samples.zip(Samples.cats()));
    assertTrue(stored.id().matches("sha256:[0-9a-f]{64}"), stored.id());
    assertEquals(6, stored.images());
    assertEquals(2, stored.classes());
    assertEquals(DatasetFormat.CLASS_FOLDERS_ZIP, stored.format());
    assertFalse(stored.notes().isEmpty(), "the archive has no classes.txt");
    assertEquals(
        stored,
        new DatasetStore(temp, ArchiveLimits.DEFAULT, DatasetStore.USUAL_PREPARED_BYTES)
            .get(stored.id()));
  }

  @Test
  void cifarRecordsAreStored() {
    DatasetInfo stored = Samples.store(store, Samples.cifar(3, 9, 0));
    assertEquals(DatasetFormat.CIFAR10_BINARY, stored.format());
    assertEquals(3, stored.images());
    assertEquals(10, stored.classes());
  }

  @Test
  void theBuiltInDatasetIsListedFirst() {
    DatasetInfo stored = Samples.store(store, Samples.cifar(1));
    assertEquals(List.of(store.get(BuiltinShapes.ID), stored), store.list());
    assertEquals(3128, store.get(BuiltinShapes.ID).images());
  }

  @Test
  void aDatasetWhoseDescriptionIsDamagedDoesNotHideTheOthers() throws IOException {
    DatasetInfo sound = Samples.store(store, Samples.cifar(1));
    DatasetInfo damaged = Samples.store(store, Samples.cifar(2));
    Path description =
        temp.resolve(damaged.id().substring("sha256:".length())).resolve("dataset.json");
    String whole = Files.readString(description);
    for (String content :
        List.of(
            "",
            whole.substring(0, whole.length() / 2),
            "{}",
            "[]",
            whole.replace("\"name\"", "\"title\""),
            whole.replace("\"sample\"", "null"),
            whole.replace("cifar10", "cifar11"),
            whole.replaceFirst("\"created\" : \"[^\"]*\"", "\"created\" : \"yesterday\""))) {
      Files.writeString(description, content);
      assertEquals(List.of(store.get(BuiltinShapes.ID), sound), store.list(), content);
      HaqException refused =
          assertThrows(HaqException.class, () -> store.get(damaged.id()), content);
      assertEquals(Reason.INTERNAL, refused.reason());
      assertTrue(refused.getMessage().contains(damaged.id()), refused.getMessage());
    }
    Files.delete(description);
    assertEquals(List.of(store.get(BuiltinShapes.ID), sound), store.list());
    Files.writeString(description, whole);
    assertEquals(3, store.list().size());
  }

  @Test
  void theSameBytesAreStoredOnce() {
    DatasetInfo first = Samples.store(store, Samples.cifar(1, 2));
    assertEquals(first, Samples.store(store, Samples.cifar(1, 2)));
    assertEquals(2, store.list().size());
  }

  @Test
  void theSameBytesPreparedOtherwiseAreAnotherDataset() {
    DatasetInfo plain = Samples.store(store, Samples.cifar(1));
    Optional<Preprocessing> declared = Optional.of(Preprocessing.preset("cifar10"));
    try (DatasetUpload upload = store.upload("declared", Optional.empty(), declared)) {
      upload.write(ByteBuffer.wrap(Samples.cifar(1)));
      DatasetInfo stored = upload.finish(() -> false);
      assertNotEquals(plain.id(), stored.id());
      assertEquals(declared, store.get(stored.id()).preprocessing());
    }
  }

  @Test
  void theArchiveDeclaresItsPreprocessing() {
    Map<String, byte[]> files = Samples.cats();
    files.put("preprocess.json", Samples.text("{\"preset\": \"tensorflow\"}"));
    DatasetInfo stored = Samples.store(store, Samples.zip(files));
    assertEquals(Optional.of(Preprocessing.preset("tensorflow")), stored.preprocessing());
  }

  @Test
  void anUploadThatIsBrokenOffLeavesNothing() {
    try (DatasetUpload upload = store.upload("half", Optional.empty(), Optional.empty())) {
      upload.write(ByteBuffer.wrap(Samples.cifar(1)));
    }
    assertEquals(1, store.list().size());
  }

  @Test
  void pathsThatLeadOutAreRefused() {
    for (String path : List.of("../a.png", "cat/../../a.png", "/cat/a.png", "C:/a.png")) {
      assertRefused("which leads out of it", Samples.zip(Map.of(path, Samples.png(2, 2, 0))));
    }
  }

  @Test
  void linksAreRefused() throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (ZipArchiveOutputStream zip = new ZipArchiveOutputStream(bytes)) {
      ZipArchiveEntry entry = new ZipArchiveEntry("cat/a.png");
      entry.setUnixMode(UnixStat.LINK_FLAG | UnixStat.DEFAULT_LINK_PERM);
      zip.putArchiveEntry(entry);
      zip.write(Samples.text("/etc/passwd"));
      zip.closeArchiveEntry();
    }
    assertRefused("holds a link, 'cat/a.png'", bytes.toByteArray());
  }

  @Test
  void bombsAreRefused() {
    byte[] bomb = Samples.zip(Map.of("cat/a.png", new byte[8 << 20]));
    assertRefused("packed more than 200 to 1", bomb);
  }

  @Test
  void tooManyAndTooLargeEntriesAreRefused() {
    store =
        new DatasetStore(
            temp,
            new ArchiveLimits(100_000, 5, 500, 2_000, 200),
            DatasetStore.USUAL_PREPARED_BYTES);
    assertTooLarge("has 6 entries, more than 5, the limits.entries", Samples.zip(Samples.cats()));
    assertTooLarge(
        "larger than 500 bytes, the limits.entry-bytes",
        Samples.zip(Map.of("cat/a.png", new byte[501])));
    assertTooLarge(
        "unpacks to more than 2000 bytes",
        Samples.zip(
            Map.of(
                "a/1", new byte[450],
                "a/2", new byte[450],
                "a/3", new byte[450],
                "a/4", new byte[450],
                "a/5", new byte[450])));
    assertTooLarge("is larger than 100000 bytes", new byte[100_001]);
  }

  @Test
  void theSameBytesReadOtherwiseAreAnotherDataset() {
    byte[] both = new byte[3073 * 3074]; // whole records of either kind
    DatasetInfo ten = Samples.store(store, both);
    assertEquals(DatasetFormat.CIFAR10_BINARY, ten.format());
    assertEquals(ten, declared(DatasetFormat.CIFAR10_BINARY, both));
    DatasetInfo hundred = declared(DatasetFormat.CIFAR100_BINARY, both);
    assertEquals(DatasetFormat.CIFAR100_BINARY, hundred.format());
    assertEquals(3073, hundred.images());
    assertNotEquals(ten.id(), hundred.id());
  }

  private DatasetInfo declared(DatasetFormat format, byte[] content) {
    try (DatasetUpload upload = store.upload("cifar", Optional.of(format), Optional.empty())) {
      upload.write(ByteBuffer.wrap(content));
      return upload.finish(() -> false);
    }
  }

  @Test
  void anUploadThatNobodyWaitsForIsNotStored() {
    try (DatasetUpload upload = store.upload("left", Optional.empty(), Optional.empty())) {
      upload.write(ByteBuffer.wrap(Samples.zip(Samples.cats())));
      HaqException left = assertThrows(HaqException.class, () -> upload.finish(() -> true));
      assertEquals(Reason.CANCELLED, left.reason());
    }
    assertEquals(1, store.list().size());
  }

  @Test
  void damagedAndForeignFilesAreRefused() {
    byte[] zip = Samples.zip(Samples.cats());
    assertRefused("not a readable zip file", Arrays.copyOf(zip, zip.length / 2));
    assertRefused("neither a zip or tar.gz archive nor CIFAR", Samples.text("hello"));
    assertRefused("the CIFAR-10 file is empty", new byte[0]);
    assertRefused("there is no PNG or JPEG image", Samples.zip(Map.of("cat/", new byte[0])));
  }

  @Test
  void aCifarFileCutOffIsRefused() {
    byte[] cut = Arrays.copyOf(Samples.cifar(1, 2), 4000);
    Optional<DatasetFormat> format = Optional.of(DatasetFormat.CIFAR10_BINARY);
    try (DatasetUpload upload = store.upload("cut", format, Optional.empty())) {
      upload.write(ByteBuffer.wrap(cut));
      HaqException error = assertThrows(HaqException.class, () -> upload.finish(() -> false));
      assertEquals(Reason.INVALID_DATASET, error.reason());
      assertTrue(error.getMessage().contains("has 4000 bytes, not a whole number of 3073"));
    }
  }

  @Test
  void theFirstImageThatCannotBeReadIsNamed() {
    Map<String, byte[]> files = Samples.cats();
    files.put("cat/1.png", Samples.text("not an image"));
    files.put("dog/2.png", Samples.text("not an image"));
    assertRefused("cat/1.png cannot be read", Samples.zip(files));
  }

  @Test
  void anUnknownDatasetIsSaidToBe() {
    for (String id : List.of("sha256:" + "0".repeat(64), "sha256:../..", "cats")) {
      HaqException error = assertThrows(HaqException.class, () -> store.get(id));
      assertEquals(Reason.UNKNOWN_DATASET, error.reason());
    }
  }

  private void assertRefused(String message, byte[] content) {
    assertFails(Reason.INVALID_DATASET, message, content);
  }

  private void assertTooLarge(String message, byte[] content) {
    assertFails(Reason.TOO_LARGE, message, content);
  }

  private void assertFails(Reason reason, String message, byte[] content) {
    HaqException error = assertThrows(HaqException.class, () -> Samples.store(store, content));
    assertEquals(reason, error.reason(), error.getMessage());
    assertTrue(error.getMessage().contains(message), error.getMessage());
    assertEquals(1, store.list().size());
  }
}
