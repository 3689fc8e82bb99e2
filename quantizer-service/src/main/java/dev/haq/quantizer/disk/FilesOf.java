package dev.haq.quantizer.disk;

import dev.haq.model.HaqException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;
import java.util.function.Supplier;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
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

  /**
   * Younger files are left alone at start: they may be of what another process is storing, or of
   * what a shared volume does not show here yet.
   */
  private static final Duration SETTLED = Duration.ofDays(1);

  /** Of a file that is whole. */
  private static final Pattern NAME =
      Pattern.compile("([0-9a-f]{" + MARK_DIGITS + "}-)*[0-9a-f]{64}\\.[a-z]+");

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
    } catch (IOException | UncheckedIOException e) {
      LOG.warn("files in {} that nobody needs cannot be removed", folder, e);
    }
  }

  /** Whether a file was written long enough ago to be judged by what is stored. */
  public static boolean isSettled(Path file) {
    try {
      Instant written = Files.getLastModifiedTime(file).toInstant();
      return written.isBefore(Instant.now().minus(SETTLED));
    } catch (IOException e) {
      return false;
    }
  }

  /**
   * Removes files whose names have a mark of nothing that is stored, or none at all, as before
   * there were marks: what a process left that was killed before it had removed them. Nothing that
   * is younger than a day, and nothing where what is stored cannot be told.
   *
   * @param stored the ids of all that is stored, asked once the files are listed, lest those of
   *     something that is stored meanwhile be removed
   */
  public static void removeUnknown(List<Path> folders, Supplier<Set<String>> stored) {
    List<Path> files = new ArrayList<>();
    for (Path folder : folders) {
      try (Stream<Path> all = Files.list(folder)) {
        all.filter(file -> NAME.matcher(name(file)).matches() && isSettled(file))
            .forEach(files::add);
      } catch (NoSuchFileException e) {
        LOG.debug("there is no folder {} yet", folder);
      } catch (IOException | UncheckedIOException e) {
        LOG.warn("the folder {} cannot be read", folder, e);
      }
    }
    if (files.isEmpty()) {
      return;
    }
    Set<String> known;
    try {
      known = stored.get().stream().map(FilesOf::mark).collect(Collectors.toSet());
    } catch (HaqException e) {
      LOG.warn("files that nobody needs stay: {}", e.getMessage());
      return;
    }
    for (Path file : files) {
      List<String> parts = List.of(name(file).split(DASH));
      List<String> marks = parts.subList(0, parts.size() - 1);
      if (marks.isEmpty() || !known.containsAll(marks)) {
        try {
          Files.deleteIfExists(file);
        } catch (IOException e) {
          LOG.warn("{}, which nobody needs, cannot be removed", file, e);
        }
      }
    }
  }

  private static String name(Path file) {
    return file.getFileName().toString();
  }

  private static String mark(String id) {
    return new Sha256().add(id).hex().substring(0, MARK_DIGITS);
  }
}
