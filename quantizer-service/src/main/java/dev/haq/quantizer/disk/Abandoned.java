package dev.haq.quantizer.disk;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What a process that was killed left half made. Replicas share folders, so age alone tells it from
 * what another is at work on; they may clear one folder at once.
 */
public final class Abandoned {
  /** Nothing is worked on for so long without being written to. */
  private static final Duration AFTER = Duration.ofDays(1);

  private static final Logger LOG = LoggerFactory.getLogger(Abandoned.class);

  private Abandoned() {}

  /**
   * Removes files, and folders with the files in them, that are older than a day. What cannot be
   * removed stays.
   *
   * @param temporary tells what is made only for a while from all else in the folder
   */
  public static void remove(Path folder, Predicate<Path> temporary) throws IOException {
    remove(folder, temporary, AFTER);
  }

  /**
   * As {@link #remove(Path, Predicate)}, of what is older than {@code age}.
   *
   * @param age at least a day
   */
  public static void remove(Path folder, Predicate<Path> temporary, Duration age)
      throws IOException {
    Instant limit = Instant.now().minus(age);
    try (Stream<Path> entries = Files.list(folder)) {
      for (Path entry : (Iterable<Path>) entries.filter(temporary)::iterator) {
        try {
          if (Files.getLastModifiedTime(entry, LinkOption.NOFOLLOW_LINKS)
              .toInstant()
              .isBefore(limit)) {
            delete(entry);
          }
        } catch (NoSuchFileException e) {
          LOG.debug("{} was removed by another process", entry);
        } catch (IOException e) {
          LOG.warn("{} was left behind and cannot be removed", entry, e);
        }
      }
    }
  }

  private static void delete(Path entry) throws IOException {
    if (Files.isDirectory(entry, LinkOption.NOFOLLOW_LINKS)) {
      try (Stream<Path> files = Files.list(entry)) {
        for (Path file : (Iterable<Path>) files::iterator) {
          Files.deleteIfExists(file);
        }
      }
    }
    Files.deleteIfExists(entry);
  }
}
