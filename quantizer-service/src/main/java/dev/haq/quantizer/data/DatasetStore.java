package dev.haq.quantizer.data;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.haq.model.HaqException;
import dev.haq.model.Preprocessing;
import dev.haq.model.Reason;
import dev.haq.quantizer.builtin.BuiltinShapes;
import dev.haq.quantizer.disk.Abandoned;
import dev.haq.quantizer.disk.DiskErrors;
import dev.haq.quantizer.disk.Durable;
import dev.haq.quantizer.sharing.Line;
import dev.haq.quantizer.sharing.Places;
import dev.haq.wire.PreprocessingFile;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.UUID;
import java.util.function.BooleanSupplier;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Uploaded datasets in a folder that replicas may share. A dataset is a folder named after the
 * SHA-256 of what was sent, holding the file as it was sent and {@code dataset.json}; it is made
 * elsewhere and moved into place as a whole, and moved away as a whole to be deleted, so it is
 * there completely or not at all, and never changes. Thread-safe.
 */
public final class DatasetStore {
  /** 32 GiB of disk: 220,000 images of 224x224. */
  public static final long USUAL_PREPARED_BYTES = 32L << 30;

  private static final String PREFIX = "sha256:";
  private static final Pattern HASH = Pattern.compile("[0-9a-f]{64}");
  private static final String INCOMING = ".incoming";
  private static final String PREPARED = ".prepared";
  private static final String CONTENT = "content";
  private static final String DESCRIPTION = "dataset.json";

  /** At once: each decodes on all cores. */
  private static final int MOST_CHECKED = 2;

  /** Waiting calls hold threads that serve all calls. */
  private static final int MOST_WAITING = 4;

  private static final Logger LOG = LoggerFactory.getLogger(DatasetStore.class);
  private static final ObjectMapper JSON = new ObjectMapper();

  private final Path root;
  private final ArchiveLimits limits;
  private final PreparedFiles prepared;
  private final Places checking = new Places(MOST_CHECKED);
  private final Line line = new Line(MOST_WAITING, "uploaded datasets wait to be checked");

  /**
   * Opens the store, making its folder if there is none.
   *
   * @param preparedBytes of prepared images kept on disk; a single dataset may take more
   */
  public DatasetStore(Path root, ArchiveLimits limits, long preparedBytes) {
    this.root = root;
    this.limits = limits;
    this.prepared = new PreparedFiles(preparedFolder(), preparedBytes);
    try {
      Files.createDirectories(root.resolve(INCOMING));
      Abandoned.remove(root.resolve(INCOMING), upload -> true);
    } catch (IOException e) {
      throw failed("the dataset folder " + root + " cannot be used", e);
    }
  }

  /**
   * Begins an upload; see {@link DatasetUpload}.
   *
   * @param format empty: told from the file's first bytes
   * @param declared how the images are prepared; empty: the archive's {@code preprocess.yaml}
   */
  public DatasetUpload upload(
      String name, Optional<DatasetFormat> format, Optional<Preprocessing> declared) {
    try {
      Path folder = Files.createTempDirectory(root.resolve(INCOMING), "dataset");
      return new DatasetUpload(
          this, folder, folder.resolve(CONTENT), name, format, declared, limits);
    } catch (IOException e) {
      throw failed("the dataset '" + name + "' cannot be stored", e);
    }
  }

  /**
   * Waits in line until one more upload may be checked; {@link #leaveChecking} when it is.
   *
   * @throws HaqException BUSY when too many wait already, or CANCELLED
   */
  void enterChecking(BooleanSupplier cancelled) {
    checking.enter(line, cancelled);
  }

  void leaveChecking() {
    checking.leave();
  }

  /** Where prepared images lie. */
  public Path preparedFolder() {
    return root.resolve(PREPARED);
  }

  /** Where replicas share images that are ready for a model. */
  PreparedFiles prepared() {
    return prepared;
  }

  /**
   * The built-in dataset, then the uploaded ones, oldest first. One whose description is damaged is
   * left out, so that it does not hide the others.
   */
  public List<DatasetInfo> list() {
    List<DatasetInfo> uploaded = new ArrayList<>();
    for (Path folder : folders()) {
      try {
        uploaded.add(describe(folder));
      } catch (NoSuchFileException e) {
        LOG.debug("dataset {}{} was deleted meanwhile", PREFIX, folder.getFileName());
      } catch (IOException e) {
        LOG.warn("the description of dataset {}{} cannot be read", PREFIX, folder.getFileName(), e);
      }
    }
    uploaded.sort(Comparator.comparing(DatasetInfo::created).thenComparing(DatasetInfo::id));
    uploaded.add(0, builtin());
    return List.copyOf(uploaded);
  }

  /** Of all datasets that are stored, whether or not their descriptions can be read. */
  public List<String> ids() {
    return Stream.concat(
            Stream.of(builtin().id()),
            folders().stream().map(folder -> PREFIX + folder.getFileName()))
        .toList();
  }

  private List<Path> folders() {
    try (Stream<Path> folders = Files.list(root)) {
      return folders
          .filter(folder -> HASH.matcher(folder.getFileName().toString()).matches())
          .toList();
    } catch (IOException | UncheckedIOException e) {
      throw failed("the dataset folder " + root + " cannot be read", e);
    }
  }

  /**
   * @throws HaqException UNKNOWN_DATASET when there is none of this id
   */
  public DatasetInfo get(String id) {
    if (id.equals(BuiltinShapes.ID)) {
      return builtin();
    }
    return find(id).orElseThrow(() -> unknown(id));
  }

  private static HaqException unknown(String id) {
    return new HaqException(
        Reason.UNKNOWN_DATASET,
        "there is no dataset '" + id + "': import it first, or use " + BuiltinShapes.ID);
  }

  /**
   * Refuses what {@link #get} would; the description is not read for that.
   *
   * @throws HaqException UNKNOWN_DATASET when there is none of this id
   */
  public void require(String id) {
    if (!has(id)) {
      throw unknown(id);
    }
  }

  /** Whether there is a dataset of this id, the built-in one included. */
  boolean has(String id) {
    return id.equals(BuiltinShapes.ID) || isStored(id);
  }

  boolean isStored(String id) {
    return isId(id) && Files.isDirectory(folder(id));
  }

  /**
   * Removes a dataset and its prepared images. What has opened it goes on.
   *
   * @throws HaqException UNKNOWN_DATASET when there is none; INVALID_ARGUMENT for the built-in
   */
  public void delete(String id) {
    if (id.equals(BuiltinShapes.ID)) {
      throw HaqException.invalid("the dataset '%s' is built in and cannot be deleted", id);
    }
    require(id);
    // A new name and no new folder, for which a full disk may have no room.
    Path unwanted = root.resolve(INCOMING).resolve("deleted" + UUID.randomUUID());
    try {
      Files.move(folder(id), unwanted, StandardCopyOption.ATOMIC_MOVE);
    } catch (NoSuchFileException e) {
      throw unknown(id); // another call was faster
    } catch (IOException e) {
      throw failed("the dataset " + id + " cannot be deleted", e);
    }
    prepared.remove(id);
    try {
      remove(unwanted);
    } catch (IOException e) {
      LOG.warn("what is left of dataset {} in {} is removed at a later start", id, unwanted, e);
    }
  }

  /** Opens the images of a dataset; the caller closes them. */
  ImageSource open(DatasetInfo dataset) {
    if (dataset.format() == DatasetFormat.BUILTIN) {
      return new BuiltinImages();
    }
    try {
      return open(folder(dataset.id()).resolve(CONTENT), dataset.format());
    } catch (NoSuchFileException e) {
      throw unknown(dataset.id()); // deleted since it was asked for
    } catch (IOException e) {
      throw failed("the dataset " + dataset.id() + " cannot be read", e);
    }
  }

  /**
   * @param content as {@link DatasetUpload} keeps a dataset of this format
   */
  static ImageSource open(Path content, DatasetFormat format) throws IOException {
    return switch (format) {
      case CIFAR10_BINARY -> CifarBinary.open(content, CifarBinary.Layout.CIFAR10);
      case CIFAR100_BINARY -> CifarBinary.open(content, CifarBinary.Layout.CIFAR100);
      case CLASS_FOLDERS_ZIP, CLASS_FOLDERS_TAR_GZ -> ClassFolders.open(new ZipFiles(content));
      case IDX_ZIP, NPZ -> ArrayImages.open(content);
      case BUILTIN -> new BuiltinImages();
    };
  }

  Optional<DatasetInfo> find(String id) {
    try {
      return isStored(id) ? Optional.of(describe(folder(id))) : Optional.empty();
    } catch (NoSuchFileException e) {
      if (isStored(id)) {
        throw failed("the dataset " + id + " cannot be read", e);
      }
      return Optional.empty(); // deleted meanwhile
    } catch (IOException e) {
      throw failed("the dataset " + id + " cannot be read", e);
    }
  }

  private static boolean isId(String id) {
    return id.startsWith(PREFIX) && HASH.matcher(id.substring(PREFIX.length())).matches();
  }

  /** Moves a finished folder into place; answers what is there, from whoever came first. */
  DatasetInfo add(Path folder, DatasetInfo dataset) throws IOException {
    Path description = folder.resolve(DESCRIPTION);
    Files.write(description, write(dataset), StandardOpenOption.CREATE_NEW);
    Durable.force(description);
    Durable.force(folder.resolve(CONTENT));
    Path place = folder(dataset.id());
    try {
      Files.move(folder, place, StandardCopyOption.ATOMIC_MOVE);
    } catch (AtomicMoveNotSupportedException e) {
      throw e;
    } catch (FileSystemException e) {
      if (!Files.isDirectory(place)) {
        throw e;
      }
    }
    return describe(place);
  }

  private Path folder(String id) {
    return root.resolve(id.substring(PREFIX.length()));
  }

  static String id(String hash) {
    return PREFIX + hash;
  }

  private static DatasetInfo builtin() {
    BuiltinImages images = new BuiltinImages();
    return new DatasetInfo(
        BuiltinShapes.ID,
        "shapes",
        images.size(),
        images.classes(),
        DatasetFormat.BUILTIN,
        Optional.of(BuiltinShapes.PREPROCESSING),
        0,
        List.of(),
        Instant.EPOCH);
  }

  private static byte[] write(DatasetInfo dataset) throws IOException {
    ObjectNode node = JSON.createObjectNode();
    node.put("id", dataset.id());
    node.put("name", dataset.name());
    node.put("images", dataset.images());
    node.put("classes", dataset.classes());
    node.put("format", dataset.format().label());
    dataset
        .preprocessing()
        .ifPresent(declared -> node.set("preprocessing", PreprocessingFile.write(declared)));
    node.put("size_bytes", dataset.sizeBytes());
    if (!dataset.notes().isEmpty()) {
      dataset.notes().forEach(node.putArray("notes")::add);
    }
    node.put("created", dataset.created().toString());
    return JSON.writerWithDefaultPrettyPrinter().writeValueAsBytes(node);
  }

  /**
   * @throws IOException also of a description that is damaged
   */
  private static DatasetInfo describe(Path folder) throws IOException {
    Path file = folder.resolve(DESCRIPTION);
    try {
      return read(JSON.readTree(Files.readAllBytes(file)), file);
    } catch (RuntimeException e) {
      // A field is missing, of another kind, or no format, date or preprocessing that there is.
      throw new IOException(file + " is damaged: remove its folder and import the data again", e);
    }
  }

  private static DatasetInfo read(JsonNode node, Path file) {
    return new DatasetInfo(
        text(node, "id"),
        text(node, "name"),
        node.required("images").intValue(),
        node.required("classes").intValue(),
        DatasetFormat.ofLabel(text(node, "format")),
        Optional.ofNullable(node.get("preprocessing"))
            .map(declared -> PreprocessingFile.read(declared, file.toString())),
        node.required("size_bytes").longValue(),
        texts(node.path("notes")),
        Instant.parse(text(node, "created")));
  }

  private static List<String> texts(JsonNode list) {
    List<String> texts = new ArrayList<>();
    list.forEach(text -> texts.add(text.textValue()));
    return List.copyOf(texts);
  }

  private static String text(JsonNode node, String field) {
    return Objects.requireNonNull(node.required(field).textValue(), field);
  }

  /** Removes an upload's folder and the files in it; nothing is done when it has moved on. */
  static void remove(Path folder) throws IOException {
    if (!Files.isDirectory(folder)) {
      return;
    }
    try (Stream<Path> files = Files.list(folder)) {
      for (Path file : (Iterable<Path>) files::iterator) {
        Files.deleteIfExists(file);
      }
    }
    Files.deleteIfExists(folder);
  }

  static HaqException failed(String what, Exception e) {
    return DiskErrors.failed(what, e);
  }
}
