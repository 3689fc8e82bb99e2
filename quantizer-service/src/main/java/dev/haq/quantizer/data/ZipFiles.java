package dev.haq.quantizer.data;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import org.apache.commons.compress.archivers.zip.ZipArchiveEntry;
import org.apache.commons.compress.archivers.zip.ZipFile;

/**
 * An archive that {@link ArchiveCheck} has let through, read in place: nothing is unpacked. Safe
 * for use by many threads: the reader finds every entry when it opens the file, and reads each at a
 * place of its own.
 */
final class ZipFiles implements ImageFiles {
  /** Of names that say nothing else, by the format's definition. */
  private static final Charset DOS = Charset.forName("IBM437");

  private final ZipFile zip;
  private final List<String> paths;

  /** An image file in the archive's place; {@link ArchiveCheck} has counted its bytes. */
  ZipFiles(Path file) throws IOException {
    this.zip = open(file);
    this.paths =
        Collections.list(zip.getEntries()).stream().map(ZipArchiveEntry::getName).sorted().toList();
  }

  /**
   * Opens an archive. Names that are not marked as UTF-8 are taken for it nevertheless, as macOS
   * writes them, unless some cannot be: then they are in code page 437.
   */
  static ZipFile open(Path file) throws IOException {
    ZipFile zip = ZipFile.builder().setPath(file).get();
    if (Collections.list(zip.getEntries()).stream().allMatch(ZipFiles::isUtf8)) {
      return zip;
    }
    zip.close();
    return ZipFile.builder().setPath(file).setCharset(DOS).get();
  }

  private static boolean isUtf8(ZipArchiveEntry entry) {
    try {
      StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(entry.getRawName()));
      return true;
    } catch (CharacterCodingException e) {
      return false;
    }
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
