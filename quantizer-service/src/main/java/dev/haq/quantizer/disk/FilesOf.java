package dev.haq.quantizer.disk;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Files that are kept because of a model or a dataset: their names say of which, so that they are
 * found when it is deleted. Such a name is a few marks and a key, with dashes between them.
 */
public final class FilesOf {
  /** 64 bits: at worst, what is kept of another is made anew. */
  private static final int MARK_DIGITS = 16;

  private static final String DASH = "-";
  private static final Logger LOG = LoggerFactory.getLogger(FilesOf.class);

  private FilesOf() {}

  /**
   * A name for a file, but for what it ends with.
   *
   * @param key the SHA-256, in hexadecimal, of all that tells it from others
   * @param ids of what it is kept because of
   */
  public static String name(String key, String... ids) {
    StringBuilder name = new StringBuilder();
    for (String id : ids) {
      name.append(mark(id)).append(DASH);
    }
    return name.append(key).toString();
  }

  /** Removes the files of something that was deleted. What cannot be removed stays. */
  public static void remove(Path folder, String id) {
    String mark = mark(id);
    remove(folder, file -> Arrays.asList(name(file).split(DASH)).contains(mark));
  }

  /** Removes some files. What cannot be removed stays. */
  public static void remove(Path folder, Predicate<Path> unwanted) {
    try (Stream<Path> files = Files.list(folder)) {
      for (Path file : (Iterable<Path>) files.filter(unwanted)::iterator) {
        Files.deleteIfExists(file);
      }
    } catch (NoSuchFileException e) {
      LOG.debug("there is no folder {} yet", folder);
    } catch (IOException e) {
      LOG.warn("files in {} that nobody needs cannot be removed", folder, e);
    }
  }

  private static String name(Path file) {
    return file.getFileName().toString();
  }

  private static String mark(String id) {
    try {
      byte[] digest =
          MessageDigest.getInstance("SHA-256").digest(id.getBytes(StandardCharsets.UTF_8));
      return HexFormat.of().formatHex(digest).substring(0, MARK_DIGITS);
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("every Java has SHA-256", e);
    }
  }
}
