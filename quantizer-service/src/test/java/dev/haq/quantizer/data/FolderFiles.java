package dev.haq.quantizer.data;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * A folder on disk, its paths beginning with its own name; {@code classes.txt} and the
 * preprocessing file beside the folder belong to it too, as if both lay in one archive.
 */
final class FolderFiles implements ImageFiles {
  private final Path parent;
  private final List<String> paths = new ArrayList<>();

  FolderFiles(Path folder) throws IOException {
    Path absolute = folder.toAbsolutePath().normalize();
    this.parent = absolute.getParent();
    try (Stream<Path> files = Files.walk(absolute)) {
      files.filter(file -> !file.equals(absolute)).sorted().forEach(this::add);
    }
    for (String name : ClassFolders.METADATA) {
      if (Files.isRegularFile(parent.resolve(name))) {
        paths.add(name);
      }
    }
  }

  private void add(Path file) {
    StringBuilder path = new StringBuilder();
    for (Path part : parent.relativize(file)) {
      path.append(path.isEmpty() ? "" : "/").append(part);
    }
    paths.add(Files.isDirectory(file) ? path + "/" : path.toString());
  }

  @Override
  public List<String> paths() {
    return paths;
  }

  @Override
  public byte[] read(String path) throws IOException {
    return Files.readAllBytes(parent.resolve(path));
  }

  @Override
  public void close() {}
}
