package dev.haq.quantizer.data;

import dev.haq.model.HaqException;
import dev.haq.model.Preprocessing;
import dev.haq.model.Reason;
import dev.haq.wire.PreprocessingFile;
import dev.haq.wire.Utf8Text;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.NavigableSet;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;

/**
 * One folder a class, of PNG and JPEG files, at the top of the tree or in a single folder there.
 *
 * <p>The index of a class is the line of its folder's name in {@code classes.txt} when there is one
 * (in the data folder or beside it; the whole line or its first word), counted from 0, empty lines
 * and classes without a folder included; else the folder's name itself when every name is a number;
 * else its place among the names, sorted as text ({@code class10} before {@code class2}). Files
 * whose name begins with a dot, and what macOS and Windows leave behind, are passed over.
 */
final class ClassFolders implements ImageSource {
  private static final String CLASSES = "classes.txt";

  /** Files that are not images but belong to the data. */
  static final List<String> METADATA =
      Stream.concat(Stream.of(CLASSES), PreprocessingFile.NAMES.stream()).toList();

  private static final Set<String> LEFTOVERS = Set.of("thumbs.db", "desktop.ini", "__macosx");

  private final ImageFiles files;
  private final List<String> images = new ArrayList<>();
  private final List<Integer> labels = new ArrayList<>();
  private final List<String> notes = new ArrayList<>();
  private final int classes;
  private final Optional<Preprocessing> preprocessing;

  /**
   * Takes over the files and closes them with itself, or when they are refused.
   *
   * @throws HaqException INVALID_DATASET when there is no image, a file is in the wrong place, or a
   *     folder is not in {@code classes.txt}, or on two of its lines
   */
  static ClassFolders open(ImageFiles files) throws IOException {
    boolean accepted = false;
    try {
      ClassFolders folders = new ClassFolders(files);
      accepted = true;
      return folders;
    } finally {
      if (!accepted) {
        files.close();
      }
    }
  }

  private ClassFolders(ImageFiles files) throws IOException {
    this.files = files;
    List<String> paths = files.paths().stream().filter(path -> !isLeftover(path)).sorted().toList();
    List<String> roots = roots(paths);
    String root = roots.get(0);
    NavigableSet<String> folders = new TreeSet<>();
    for (String path : paths) {
      place(path, root).ifPresent(folders::add);
    }
    if (images.isEmpty()) {
      throw invalid("there is no PNG or JPEG image in it: put images in one folder a class");
    }
    Map<String, Integer> index = index(folders, roots);
    for (String image : images) {
      labels.add(index.get(folderOf(image, root)));
    }
    this.classes = labels.stream().mapToInt(Integer::intValue).max().orElseThrow() + 1;
    Optional<String> declared = metadata(PreprocessingFile.NAMES, roots);
    this.preprocessing =
        declared.isPresent()
            ? Optional.of(PreprocessingFile.parse(files.read(declared.get()), declared.get()))
            : Optional.empty();
  }

  /** What the data itself declares. */
  Optional<Preprocessing> preprocessing() {
    return preprocessing;
  }

  @Override
  public int size() {
    return images.size();
  }

  @Override
  public int classes() {
    return classes;
  }

  @Override
  public int label(int image) {
    return labels.get(image);
  }

  @Override
  public String name(int image) {
    return images.get(image);
  }

  @Override
  public List<String> notes() {
    return List.copyOf(notes);
  }

  @Override
  public RgbImage decode(int image) {
    String path = images.get(image);
    try {
      return ImageDecoder.decode(files.read(path), path);
    } catch (IOException e) {
      throw new HaqException(
          Reason.INVALID_DATASET, path + " cannot be read: " + e.getMessage(), e);
    }
  }

  @Override
  public void close() {
    try {
      files.close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /**
   * Where class folders may begin: in the single folder at the top, if there is one, and the top.
   */
  private static List<String> roots(List<String> paths) {
    Set<String> tops = new TreeSet<>();
    boolean nested = false;
    for (String path : paths) {
      List<String> parts = parts(path);
      if (parts.size() > 1 || path.endsWith("/")) {
        tops.add(parts.get(0));
      }
      nested |= parts.size() > 2 && isImage(path);
    }
    return tops.size() == 1 && nested ? List.of(tops.iterator().next() + "/", "") : List.of("");
  }

  /** Notes an image; answers the class folder that the path names, if it names one. */
  private Optional<String> place(String path, String root) throws IOException {
    if (!path.startsWith(root) || path.equals(root)) {
      return Optional.empty();
    }
    List<String> parts = parts(path.substring(root.length()));
    if (path.endsWith("/")) {
      return parts.size() == 1 ? Optional.of(parts.get(0)) : Optional.empty();
    }
    if (parts.size() == 1) {
      if (isImage(path)) {
        throw invalid(path + " is not in a class folder: put images in one folder a class");
      }
      return Optional.empty();
    }
    if (!isImage(path)) {
      throw otherFile(path);
    }
    if (parts.size() > 2) {
      throw invalid(path + " lies too deep: images must lie directly in their class folder");
    }
    images.add(path);
    return Optional.of(parts.get(0));
  }

  /** What is wrong with a file that is not named as an image. */
  private HaqException otherFile(String path) throws IOException {
    return ImageDecoder.format(files.read(path))
        .map(
            format ->
                invalid(
                    "%s is a %s file by another name: name it .%s"
                        .formatted(path, format.toUpperCase(Locale.ROOT), format)))
        .orElseGet(() -> invalid(path + " is neither PNG nor JPEG: " + ImageDecoder.CONVERT));
  }

  private Map<String, Integer> index(NavigableSet<String> folders, List<String> roots)
      throws IOException {
    Map<String, Integer> index = new HashMap<>();
    Optional<String> list = metadata(List.of(CLASSES), roots);
    if (list.isPresent()) {
      List<String> lines =
          Utf8Text.of(files.read(list.get()), list.get()).lines().map(String::strip).toList();
      Map<String, List<Integer>> whole = places(lines);
      Map<String, List<Integer>> words =
          places(lines.stream().map(line -> line.split("\\s+", 2)[0]).toList());
      for (String folder : folders) {
        // "cat" alone on a line is meant, not "cat fish" on another.
        List<Integer> found = whole.getOrDefault(folder, words.getOrDefault(folder, List.of()));
        index.put(folder, onlyLine(folder, found, list.get()));
      }
    } else if (folders.stream().allMatch(folder -> folder.matches("[0-9]{1,6}"))) {
      folders.forEach(folder -> index.put(folder, Integer.parseInt(folder)));
    } else {
      folders.forEach(folder -> index.put(folder, index.size()));
      String last =
          folders.size() == 1
              ? ""
              : ", '%s' class %d".formatted(folders.last(), folders.size() - 1);
      notes.add(
          "the data do not say which class is which, so folders count in the order of their names:"
              + " '%s' is class 0%s; where the model has another order, add a classes.txt"
                  .formatted(folders.first(), last));
    }
    return index;
  }

  private static Map<String, List<Integer>> places(List<String> names) {
    Map<String, List<Integer>> places = new HashMap<>();
    for (int i = 0; i < names.size(); i++) {
      places.computeIfAbsent(names.get(i), name -> new ArrayList<>(1)).add(i);
    }
    return places;
  }

  private static int onlyLine(String folder, List<Integer> lines, String list) {
    if (lines.isEmpty()) {
      throw invalid("the class folder '" + folder + "' is not listed in " + list);
    }
    if (lines.size() > 1) {
      throw invalid(
          "the class folder '%s' is on lines %d and %d of %s: leave it on the one that is its class"
              .formatted(folder, lines.get(0) + 1, lines.get(1) + 1, list));
    }
    return lines.get(0);
  }

  private Optional<String> metadata(List<String> names, List<String> roots) {
    Set<String> paths = Set.copyOf(files.paths());
    return roots.stream()
        .flatMap(root -> names.stream().map(name -> root + name))
        .filter(paths::contains)
        .findFirst();
  }

  private static List<String> parts(String path) {
    String file = path.endsWith("/") ? path.substring(0, path.length() - 1) : path;
    return List.of(file.split("/", -1));
  }

  private static String folderOf(String image, String root) {
    return image.substring(root.length(), image.lastIndexOf('/'));
  }

  private static boolean isImage(String path) {
    String name = path.toLowerCase(Locale.ROOT);
    return name.endsWith(".png") || name.endsWith(".jpg") || name.endsWith(".jpeg");
  }

  private static boolean isLeftover(String path) {
    for (String part : parts(path)) {
      if (part.startsWith(".") || LEFTOVERS.contains(part.toLowerCase(Locale.ROOT))) {
        return true;
      }
    }
    return false;
  }

  private static HaqException invalid(String message) {
    return new HaqException(Reason.INVALID_DATASET, "the dataset cannot be used: " + message);
  }
}
