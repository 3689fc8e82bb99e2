package dev.haq.quantizer.onnx;

import dev.haq.model.HaqException;
import dev.haq.model.Reason;
import dev.haq.quantizer.builtin.BuiltinShapes;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Models by the SHA-256 of their bytes, in a folder that replicas may share: {@code <hash>.onnx},
 * and its name for people beside it. Immutable, so the ones read lately are kept in memory. Safe
 * for use by many threads.
 */
public final class ModelStore {
  private static final String PREFIX = "sha256:";
  private static final String MODEL = ".onnx";
  private static final String NAME = ".name";
  private static final Pattern HASH = Pattern.compile("[0-9a-f]{64}");
  private static final String BUILTIN_RESOURCE = "/builtin/shapes.onnx";

  private final Path folder;
  private final long maxBytes;
  private final Map<String, StoredModel> recent;

  /**
   * @param maxBytes of one model's file
   * @param kept how many models are kept in memory
   */
  public ModelStore(Path folder, long maxBytes, int kept) {
    this.folder = folder;
    this.maxBytes = maxBytes;
    this.recent =
        new LinkedHashMap<>(16, 0.75f, true) {
          @Override
          protected boolean removeEldestEntry(Map.Entry<String, StoredModel> eldest) {
            return size() > kept;
          }
        };
    try {
      Files.createDirectories(folder);
    } catch (IOException e) {
      throw failed("the model folder " + folder + " cannot be used", e);
    }
  }

  /** A new file beside the models, for an upload to be written to; {@link #add} takes it. */
  public Path newUpload() {
    try {
      return Files.createTempFile(folder, "upload", ".part");
    } catch (IOException e) {
      throw failed("a model cannot be stored", e);
    }
  }

  /** The most bytes a model may have. */
  public long maxBytes() {
    return maxBytes;
  }

  /**
   * Checks an uploaded file by reading and running it, and stores it. A model that is there already
   * is answered as it is. The file is gone afterwards, whatever the outcome.
   *
   * @param name for people
   * @throws HaqException INVALID_MODEL, UNSUPPORTED_OPERATOR or NO_QUANTIZABLE_LAYERS
   */
  public StoredModel add(Path upload, String name) {
    try {
      byte[] bytes = Files.readAllBytes(upload);
      String hash = sha256(bytes);
      String id = PREFIX + hash;
      if (Files.exists(file(hash, MODEL))) {
        return get(id);
      }
      StoredModel stored =
          new StoredModel(name, Instant.now(), ModelImporter.read(bytes, id, name));
      Files.writeString(file(hash, NAME), name);
      Files.move(upload, file(hash, MODEL), StandardCopyOption.ATOMIC_MOVE);
      remember(id, stored);
      return stored;
    } catch (IOException e) {
      throw failed("the model '" + name + "' cannot be stored", e);
    } finally {
      discard(upload);
    }
  }

  /** Removes an upload that is not wanted after all. */
  public void discard(Path upload) {
    try {
      Files.deleteIfExists(upload);
    } catch (IOException e) {
      throw failed("the upload cannot be cleared away", e);
    }
  }

  /**
   * A model by id.
   *
   * @throws HaqException UNKNOWN_MODEL when there is none
   */
  public StoredModel get(String id) {
    synchronized (recent) {
      StoredModel known = recent.get(id);
      if (known != null) {
        return known;
      }
    }
    StoredModel read = id.equals(BuiltinShapes.ID) ? builtin() : read(id);
    remember(id, read);
    return read;
  }

  /** The built-in model, then the uploaded ones, oldest first. */
  public List<StoredModel> list() {
    List<StoredModel> models = new ArrayList<>();
    try (Stream<Path> files = Files.list(folder)) {
      for (Path file : (Iterable<Path>) files::iterator) {
        String name = file.getFileName().toString();
        if (name.endsWith(MODEL)) {
          models.add(get(PREFIX + name.substring(0, name.length() - MODEL.length())));
        }
      }
    } catch (IOException e) {
      throw failed("the model folder " + folder + " cannot be read", e);
    }
    models.sort(
        Comparator.comparing(StoredModel::created).thenComparing(stored -> stored.model().id()));
    models.add(0, get(BuiltinShapes.ID));
    return List.copyOf(models);
  }

  private StoredModel read(String id) {
    String hash = id.startsWith(PREFIX) ? id.substring(PREFIX.length()) : "";
    if (!HASH.matcher(hash).matches() || !Files.exists(file(hash, MODEL))) {
      throw new HaqException(
          Reason.UNKNOWN_MODEL,
          "there is no model '" + id + "': import it first, or use " + BuiltinShapes.ID);
    }
    try {
      Path file = file(hash, MODEL);
      Path nameFile = file(hash, NAME);
      String name =
          Files.exists(nameFile) ? Files.readString(nameFile, StandardCharsets.UTF_8) : hash;
      return new StoredModel(
          name,
          Files.getLastModifiedTime(file).toInstant(),
          ModelImporter.read(Files.readAllBytes(file), id, name));
    } catch (IOException e) {
      throw failed("the model " + id + " cannot be read", e);
    }
  }

  private static StoredModel builtin() {
    try (InputStream in = ModelStore.class.getResourceAsStream(BUILTIN_RESOURCE)) {
      return new StoredModel(
          "shapes",
          Instant.EPOCH,
          ModelImporter.read(in.readAllBytes(), BuiltinShapes.ID, "shapes"));
    } catch (IOException e) {
      throw failed("the built-in model cannot be read", e);
    }
  }

  private void remember(String id, StoredModel stored) {
    synchronized (recent) {
      recent.put(id, stored);
    }
  }

  private Path file(String hash, String suffix) {
    return folder.resolve(hash + suffix);
  }

  private static String sha256(byte[] bytes) {
    try {
      return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("every Java has SHA-256", e);
    }
  }

  private static HaqException failed(String what, IOException e) {
    return new HaqException(Reason.INTERNAL, what + ": " + e.getMessage(), e);
  }
}
