package dev.haq.quantizer.data;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.haq.model.HaqException;
import dev.haq.model.Preprocessing;
import dev.haq.model.Reason;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class ClassFoldersTest {
  @TempDir Path temp;

  @Test
  void classesAreNumberedInTheOrderOfTheirSortedNames() throws IOException {
    assertEquals(
        Map.of("ant/a.png", 0, "bee/b.png", 1, "cat/c.png", 2),
        labels("cat/c.png", "ant/a.png", "bee/b.png"));
  }

  @Test
  void whereTheDataDoNotSayWhichClassIsWhichANoteDoes() throws IOException {
    labels("class2/a.png", "class10/b.png");
    try (ClassFolders folders = open()) {
      assertEquals(1, folders.notes().size());
      String note = folders.notes().get(0);
      assertTrue(note.contains("'class10' is class 0, 'class2' class 1"), note);
    }
    write("classes.txt", Samples.text("class2\nclass10\n"));
    try (ClassFolders folders = open()) {
      assertEquals(List.of(), folders.notes());
    }
  }

  @Test
  void aFolderWithoutImagesKeepsItsNumber() throws IOException {
    write("bee/b.png", Samples.png(2, 2, 0));
    Files.createDirectories(temp.resolve("data/ant"));
    try (ClassFolders folders = open()) {
      assertEquals(1, folders.label(0));
      assertEquals(2, folders.classes());
    }
  }

  @Test
  void namesThatAreNumbersAreTheLabels() throws IOException {
    assertEquals(
        Map.of("2/a.png", 2, "10/b.png", 10, "0/c.png", 0),
        labels("2/a.png", "10/b.png", "0/c.png"));
    try (ClassFolders folders = open()) {
      assertEquals(List.of(), folders.notes());
    }
  }

  @Test
  void aListInTheFolderGivesTheOrder() throws IOException {
    write("classes.txt", Samples.text("cat a small tiger\n\nant\nbee\n"));
    assertEquals(Map.of("ant/a.png", 2, "cat/c.png", 0), labels("ant/a.png", "cat/c.png"));
  }

  @Test
  void everyLineOfAListCounts() throws IOException {
    write(
        "classes.txt",
        Samples.text(
            "great white shark\r\ngreat grey owl\r\n\r\nant\r\nant eater\r\nbee\r\n\r\n\n"));
    assertEquals(
        Map.of("ant/a.png", 3, "bee/b.png", 5, "great grey owl/o.png", 1),
        labels("ant/a.png", "bee/b.png", "great grey owl/o.png"));
    try (ClassFolders folders = open()) {
      assertEquals(6, folders.classes());
    }
  }

  @Test
  void aFolderOnTwoLinesIsRefused() throws IOException {
    write("classes.txt", Samples.text("cat\nant small\nbee\nant large\n"));
    assertRefused("'ant' is on lines 2 and 4 of data/classes.txt", "ant/a.png", "cat/c.png");
  }

  @Test
  void aFolderWhoseWholeNameIsOnTwoLinesIsRefused() throws IOException {
    write("classes.txt", Samples.text("cat\nant\ncat\n"));
    assertRefused("'cat' is on lines 1 and 3 of data/classes.txt", "ant/a.png", "cat/c.png");
  }

  @Test
  void aListBesideTheFolderGivesTheOrder() throws IOException {
    Files.writeString(temp.resolve("classes.txt"), "cat\nbee\nant\n");
    assertEquals(Map.of("ant/a.png", 2, "cat/c.png", 0), labels("ant/a.png", "cat/c.png"));
    try (ClassFolders folders = open()) {
      assertEquals(3, folders.classes());
    }
  }

  @Test
  void aFolderThatIsNotListedIsRefused() throws IOException {
    write("classes.txt", Samples.text("cat\n"));
    assertRefused("the class folder 'ant' is not listed in data/classes.txt", "ant/a.png");
  }

  @Test
  void aListMayBeginWithAByteOrderMark() throws IOException {
    write("classes.txt", Samples.text("\uFEFFcat\r\nant\r\n"));
    assertEquals(Map.of("ant/a.png", 1, "cat/c.png", 0), labels("ant/a.png", "cat/c.png"));
  }

  @Test
  void aListInUtf16IsRefusedWithWhatItMustBe() throws IOException {
    for (Charset charset : List.of(StandardCharsets.UTF_16, StandardCharsets.UTF_16LE)) {
      write("classes.txt", "cat\nant\n".getBytes(charset));
      assertRefused("data/classes.txt cannot be used: it must be UTF-8", "ant/a.png", "cat/c.png");
    }
  }

  @Test
  void aPreprocessingFileMayBeginWithAByteOrderMark() throws IOException {
    write("preprocess.json", Samples.text("\uFEFF{\"preset\": \"cifar10\"}"));
    write("ant/a.png", Samples.png(2, 2, 0));
    try (ClassFolders folders = open()) {
      assertEquals(Preprocessing.preset("cifar10"), folders.preprocessing().orElseThrow());
    }
  }

  @Test
  void imagesOutsideClassFoldersAreRefused() throws IOException {
    assertRefused("data/a.png is not in a class folder", "a.png", "ant/a.png");
  }

  @Test
  void imagesTooDeepAreRefused() throws IOException {
    assertRefused("data/ant/more/b.png lies too deep", "ant/a.png", "ant/more/b.png");
  }

  @Test
  void picturesOfOtherFormatsAreToBeConverted() throws IOException {
    write("ant/b.webp", Samples.text("RIFF....WEBPVP8 "));
    assertRefused(
        "data/ant/b.webp is neither PNG nor JPEG: convert it to one of them, or remove it",
        "ant/a.png");
  }

  @Test
  void picturesOfTheTwoFormatsUnderOtherNamesAreToBeRenamed() throws IOException {
    write("ant/b.bin", Samples.png(2, 2, 0));
    assertRefused("data/ant/b.bin is a PNG file by another name: name it .png", "ant/a.png");
    Files.delete(temp.resolve("data/ant/b.bin"));
    write(
        "ant/c.jfif", Samples.encode(new BufferedImage(2, 2, BufferedImage.TYPE_INT_RGB), "jpeg"));
    assertRefused("data/ant/c.jfif is a JPEG file by another name: name it .jpeg");
  }

  @Test
  void foldersOfOtherFormatsAloneAreToldWhatToDo() throws IOException {
    write("all/ant/b.webp", Samples.text("RIFF....WEBPVP8 "));
    assertRefused("data/all/ant/b.webp is neither PNG nor JPEG: convert it");
  }

  @Test
  void anEmptyFolderIsRefused() throws IOException {
    write("ant/.DS_Store", new byte[] {1});
    assertRefused("there is no PNG or JPEG image in it");
  }

  @Test
  void leftoversOfDesktopsArePassedOver() throws IOException {
    write("ant/.DS_Store", new byte[] {1});
    write("ant/Thumbs.db", new byte[] {1});
    assertEquals(Map.of("ant/a.png", 0), labels("ant/a.png"));
  }

  @Test
  void theFolderDeclaresItsPreprocessing() throws IOException {
    write("preprocess.yaml", Samples.text("preset: cifar10\n"));
    write("ant/a.png", Samples.png(2, 2, 0));
    try (ClassFolders folders = open()) {
      assertEquals(Preprocessing.preset("cifar10"), folders.preprocessing().orElseThrow());
    }
  }

  @Test
  void theSharedPhotographsAreLabelledByTheListAboveTheirFolder() throws IOException {
    Path photographs = Samples.shared("imagenet/val_500");
    try (ClassFolders folders = ClassFolders.open(new FolderFiles(photographs))) {
      assertEquals(500, folders.size());
      assertEquals(999, folders.classes());
      Map<String, Integer> labels = labels(folders);
      assertEquals(0, labels.get("n01440764/n01440764_tench.JPEG"));
      assertEquals(2, labels.get("n01484850/n01484850_great_white_shark.JPEG"));
      assertTrue(folders.decode(0).width() > 100);
    }
  }

  private Map<String, Integer> labels(String... images) throws IOException {
    for (String image : images) {
      write(image, Samples.png(2, 2, 0));
    }
    try (ClassFolders folders = open()) {
      return labels(folders);
    }
  }

  /** By path below the data folder. */
  private static Map<String, Integer> labels(ClassFolders folders) {
    Map<String, Integer> labels = new TreeMap<>();
    for (int i = 0; i < folders.size(); i++) {
      String name = folders.name(i);
      labels.put(name.substring(name.indexOf('/') + 1), folders.label(i));
    }
    return labels;
  }

  private void assertRefused(String message, String... images) throws IOException {
    for (String image : images) {
      write(image, Samples.png(2, 2, 0));
    }
    HaqException error = assertThrows(HaqException.class, this::open);
    assertEquals(Reason.INVALID_DATASET, error.reason());
    assertTrue(error.getMessage().contains(message), error.getMessage());
  }

  private void write(String path, byte[] content) throws IOException {
    Path file = temp.resolve("data").resolve(path);
    Files.createDirectories(file.getParent());
    Files.write(file, content);
  }

  private ClassFolders open() throws IOException {
    return ClassFolders.open(new FolderFiles(temp.resolve("data")));
  }
}
