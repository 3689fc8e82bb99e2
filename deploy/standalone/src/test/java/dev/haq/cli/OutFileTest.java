package dev.haq.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.haq.model.HaqException;
import java.io.ByteArrayInputStream;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class OutFileTest {
  @TempDir Path folder;

  @Test
  void aFileIsWrittenWithItsFoldersAsAnyProgramWouldWriteIt() throws IOException {
    Path file = folder.resolve("a/b/c.txt");
    OutFile.write(file, "one");
    OutFile.write(file, "two");
    assertEquals("two", Files.readString(file));
    Path other = Files.writeString(folder.resolve("other.txt"), "");
    assertEquals(Files.getPosixFilePermissions(other), Files.getPosixFilePermissions(file));
    assertEquals(List.of("c.txt"), names(file.getParent()), "nothing is left beside it");
  }

  @Test
  void whatWasThereStaysWhereTheNewDoesNotCome() throws IOException {
    Path file = Files.writeString(folder.resolve("result.csv"), "earlier");
    InputStream broken =
        new FilterInputStream(new ByteArrayInputStream(new byte[100_000])) {
          @Override
          public int read(byte[] bytes, int from, int length) throws IOException {
            int read = super.read(bytes, from, length);
            if (read < 0) {
              throw new IOException("broke off");
            }
            return read;
          }
        };
    assertThrows(IOException.class, () -> OutFile.save(broken, file));
    assertEquals("earlier", Files.readString(file));
    assertEquals(List.of("result.csv"), names(folder));
  }

  @Test
  void aLinkStaysOneAndADeviceIsNotReplaced() throws IOException {
    Path file = Files.writeString(folder.resolve("file"), "earlier");
    Path link = Files.createSymbolicLink(folder.resolve("link"), file);
    OutFile.write(link, "now");
    assertTrue(Files.isSymbolicLink(link));
    assertEquals("now", Files.readString(file));
    Path device = Path.of("/dev/null");
    Assumptions.assumeTrue(Files.isWritable(device));
    OutFile.save(new ByteArrayInputStream("nothing".getBytes(StandardCharsets.UTF_8)), device);
    assertArrayEquals(new byte[0], Files.readAllBytes(device));
    assertTrue(!Files.isRegularFile(device));
  }

  @Test
  void aFileThatMayNotBeWrittenToIsRefusedBeforeAnyWork() throws IOException {
    Path file = Files.writeString(folder.resolve("kept"), "");
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("r--r--r--"));
    Assumptions.assumeFalse(Files.isWritable(file), "root may write to every file");
    HaqException e = assertThrows(HaqException.class, () -> OutFile.check(file));
    assertTrue(e.getMessage().contains("may not be written to"), e.getMessage());
  }

  @Test
  void faultsAreToldInWords() {
    assertEquals("permission denied", FileFault.why(new AccessDeniedException("t.csv")));
    assertEquals("there is no such file", FileFault.why(new NoSuchFileException("t.csv")));
    assertEquals("Is a directory", FileFault.why(new IOException("Is a directory")));
    assertEquals("IOException", FileFault.why(new IOException()));
  }

  private static List<String> names(Path folder) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.map(file -> file.getFileName().toString()).toList();
    }
  }
}
