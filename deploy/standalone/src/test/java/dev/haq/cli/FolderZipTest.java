package dev.haq.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.haq.model.HaqException;
import dev.haq.model.Reason;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.List;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FolderZipTest {
  @TempDir Path top;
  private Path images;

  @BeforeEach
  void twoClasses() throws IOException {
    images = Files.createDirectories(top.resolve("images"));
    file("b/2.png", "two");
    file("a/1.png", "one");
    file("a/.hidden", "no");
    file("notes.md", "no");
  }

  @Test
  void theSameFilesGiveTheSameBytes() throws IOException {
    String first = digest();
    Files.setLastModifiedTime(
        images.resolve("a/1.png"), FileTime.from(Instant.parse("2001-02-03T04:05:06Z")));
    assertEquals(first, digest());
    file("a/1.png", "ONE");
    assertNotEquals(first, digest());
  }

  @Test
  void entriesAreSortedAndStoredWithTheirCompanions() throws IOException {
    Files.writeString(top.resolve("classes.txt"), "a\nb\n");
    file("preprocess.yaml", "preset: raw\n");
    Path zip = top.resolve("out.zip");
    FolderZip.pack(images, zip);
    try (ZipFile file = new ZipFile(zip.toFile())) {
      List<? extends ZipEntry> entries = file.stream().toList();
      assertEquals(
          List.of("a/", "a/1.png", "b/", "b/2.png", "classes.txt", "preprocess.yaml"),
          entries.stream().map(ZipEntry::getName).toList());
      entries.forEach(entry -> assertEquals(ZipEntry.STORED, entry.getMethod()));
    }
  }

  @Test
  void anEmptyClassFolderKeepsItsPlaceAmongTheLabels() throws IOException {
    Files.createDirectories(images.resolve("aa"));
    Path zip = top.resolve("out.zip");
    FolderZip.pack(images, zip);
    try (ZipFile file = new ZipFile(zip.toFile())) {
      assertEquals(
          List.of("a/", "a/1.png", "aa/", "b/", "b/2.png"),
          file.stream().map(ZipEntry::getName).toList());
    }
  }

  @Test
  void aFullDiskOfOnesOwnIsSaidToBeFullAndWhereAndWhatToDo() {
    Path full = Path.of("/dev/full"); // Linux: no write to it ever finds room
    Assumptions.assumeTrue(Files.exists(full), "this system has no device that is always full");
    HaqException refusal = assertThrows(HaqException.class, () -> FolderZip.pack(images, full));
    assertEquals(Reason.DISK_FULL, refusal.reason());
    assertEquals(Haq.FAILED, Haq.status(refusal.reason()));
    for (String part :
        List.of(
            "this machine's disk is full at /dev,", images.toString(), "-Djava.io.tmpdir=DIR")) {
      assertTrue(refusal.getMessage().contains(part), refusal.getMessage());
    }
  }

  @Test
  void aClassFolderMayBeALink() throws IOException {
    Path elsewhere = Files.createDirectories(top.resolve("elsewhere"));
    Files.writeString(elsewhere.resolve("3.png"), "three");
    Files.createSymbolicLink(images.resolve("c"), elsewhere);
    Path zip = top.resolve("out.zip");
    FolderZip.pack(images, zip);
    try (ZipFile file = new ZipFile(zip.toFile())) {
      assertEquals(
          List.of("a/", "a/1.png", "b/", "b/2.png", "c/", "c/3.png"),
          file.stream().map(ZipEntry::getName).toList());
    }
  }

  @Test
  void aLinkThatLeadsBackIsRefusedByItsPath() throws IOException {
    Path loop = Files.createSymbolicLink(images.resolve("a/back"), images);
    HaqException e =
        assertThrows(HaqException.class, () -> FolderZip.pack(images, top.resolve("out.zip")));
    assertEquals(Reason.INVALID_DATASET, e.reason());
    assertTrue(e.getMessage().contains(loop + " is a link to a folder that holds it"));
  }

  @Test
  void aFolderThatMayNotBeEnteredIsRefusedByItsPath() throws IOException {
    Path closed = Files.createDirectories(images.resolve("closed"));
    Files.setPosixFilePermissions(closed, PosixFilePermissions.fromString("---------"));
    Assumptions.assumeFalse(Files.isReadable(closed), "this user may read everything: skipped");
    HaqException e =
        assertThrows(HaqException.class, () -> FolderZip.pack(images, top.resolve("out.zip")));
    assertEquals(Reason.INVALID_DATASET, e.reason());
    assertTrue(e.getMessage().contains(closed + " may not be read"));
  }

  @Test
  void aNameThatCannotBeReadIsRefusedWithWhatToDo() throws Exception {
    // A Latin-1 e with an accent, which is no UTF-8.
    Process touch =
        new ProcessBuilder("sh", "-c", "touch \"$(printf 'a/caf\\351.png')\"")
            .directory(images.toFile())
            .start();
    assertEquals(0, touch.waitFor());
    HaqException e =
        assertThrows(HaqException.class, () -> FolderZip.pack(images, top.resolve("out.zip")));
    assertEquals(Reason.INVALID_DATASET, e.reason());
    assertTrue(e.getMessage().contains("the name a/caf\uFFFD.png"), e.getMessage());
    assertTrue(e.getMessage().contains("set LC_ALL=C.UTF-8"), e.getMessage());
  }

  @Test
  void aFolderWithoutClassFoldersIsRefused() throws IOException {
    Path empty = Files.createDirectories(top.resolve("empty"));
    HaqException e =
        assertThrows(HaqException.class, () -> FolderZip.pack(empty, top.resolve("out.zip")));
    assertEquals(Reason.INVALID_DATASET, e.reason());
  }

  private String digest() {
    Path zip = top.resolve("out.zip");
    FolderZip.pack(images, zip);
    return Digests.of(zip);
  }

  private void file(String name, String content) throws IOException {
    Path file = images.resolve(name);
    Files.createDirectories(file.getParent());
    Files.writeString(file, content);
  }
}
