package dev.haq.quantizer.data;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.List;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;

/** An archive that {@link ArchiveCheck} has let through, read in place: nothing is unpacked. */
final class ZipFiles implements ImageFiles {
  private final ZipFile zip;
  private final List<String> paths;

  /** An image file in the archive's place; {@link ArchiveCheck} has counted its bytes. */
  ZipFiles(Path file) throws IOException {
    this.zip = new ZipFile(file.toFile());
    this.paths = zip.stream().map(ZipEntry::getName).sorted().toList();
  }

  @Override
  public List<String> paths() {
    return paths;
  }

  @Override
  public byte[] read(String path) throws IOException {
    try (InputStream entry = zip.getInputStream(zip.getEntry(path))) {
      return entry.readAllBytes();
    }
  }

  @Override
  public void close() throws IOException {
    zip.close();
  }
}
