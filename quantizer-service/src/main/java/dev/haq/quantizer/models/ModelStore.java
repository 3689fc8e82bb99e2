package dev.haq.quantizer.models;

import dev.haq.model.HaqException;
import dev.haq.model.ImageSize;
import dev.haq.model.Reason;
import dev.haq.quantizer.builtin.BuiltinShapes;
import dev.haq.quantizer.disk.Abandoned;
import dev.haq.quantizer.disk.DiskErrors;
import dev.haq.quantizer.disk.Durable;
import dev.haq.quantizer.disk.Sha256;
import dev.haq.quantizer.importing.ModelArchive;
import dev.haq.quantizer.importing.ModelImporter;
import dev.haq.quantizer.importing.StatedImageSize;
import dev.haq.quantizer.onnx.ImportedModel;
import dev.haq.quantizer.onnx.MappedWeights;
import dev.haq.quantizer.sharing.Line;
import dev.haq.quantizer.sharing.LruCache;
import dev.haq.quantizer.sharing.MadeOnce;
import dev.haq.quantizer.sharing.Places;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Models by the SHA-256 of the bytes that were sent, in a folder that replicas may share: {@code
 * <hash>.onnx}, and {@code <hash>.json} which describes it, so that models are listed without being
 * read. The description is there before the model and goes after it, so a model is there completely
 * or not at all. Immutable, so the ones read lately are kept in memory. Safe for use by many
 * threads.
 */
public final class ModelStore {
  private static final String PREFIX = "sha256:";
  private static final String MODEL = ".onnx";
  private static final String DESCRIPTION = ".json";
  private static final String UPLOAD = ".part";
  private static final Pattern HASH = Pattern.compile("[0-9a-f]{64}");

  /** At once: each may take more than 1 GB besides its model's weights. */
  private static final int MOST_IMPORTS = 2;

  /** Waiting calls hold threads that serve all calls. */
  private static final int MOST_WAITING = 8;

  private static final Logger LOG = LoggerFactory.getLogger(ModelStore.class);

  private final Path folder;
  private final long maxBytes;
  private final LruCache<String, ImportedModel> recent;
  private final MadeOnce<String, ImportedModel> read;
  private final Places importing = new Places(MOST_IMPORTS);
  private final Line uploads = new Line(MOST_WAITING, "uploads wait for models to be checked");
  private final Line reads = new Line(MOST_WAITING, "calls wait for models to be read");

  /** Held while both files of a model come or go. */
  private final Object names = new Object();

  private ImportedModel builtin;

  /**
   * @param maxBytes of one model's file, and of what its constants come to
   * @param kept how many models are kept in memory; fewer where they come to more bytes than one
   *     may have
   */
  public ModelStore(Path folder, long maxBytes, int kept) {
    this.folder = folder;
    this.maxBytes = maxBytes;
    this.recent = new LruCache<>(kept, maxBytes, ImportedModel::heldBytes);
    this.read = new MadeOnce<>(recent, new Line(2 * MOST_WAITING, "calls wait for one model"));
    try {
      Files.createDirectories(folder);
      removeAbandoned();
    } catch (IOException e) {
      throw failed("the model folder " + folder + " cannot be used", e);
    }
  }

  /** A new file beside the models, for an upload to be written to; {@link #add} takes it. */
  public Path newUpload() {
    try {
      return Files.createTempFile(folder, "upload", UPLOAD);
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
   * @param imageSize of a model that leaves it open: part of what the model is, and of its hash
   * @param cancelled asked now and then whether nobody waits for it any more
   * @throws HaqException INVALID_MODEL, UNSUPPORTED_OPERATOR, NO_QUANTIZABLE_LAYERS or TOO_LARGE;
   *     BUSY when too many wait already, or CANCELLED
   */
  public StoredModel add(
      Path upload, String name, Optional<ImageSize> imageSize, BooleanSupplier cancelled) {
    return add(upload, name, imageSize, uploads, cancelled);
  }

  /**
   * The same for a model that was made here, for which no line is too long.
   *
   * @throws HaqException INVALID_MODEL or CANCELLED
   */
  public StoredModel addMade(Path file, String name, BooleanSupplier cancelled) {
    return add(file, name, Optional.empty(), new Line(Integer.MAX_VALUE, "calls wait"), cancelled);
  }

  private StoredModel add(
      Path upload,
      String name,
      Optional<ImageSize> imageSize,
      Line line,
      BooleanSupplier cancelled) {
    try {
      String hash = sha256(upload, imageSize.map(ImageSize::toString).orElse(""));
      if (isStored(hash)) {
        return readDescription(hash);
      }
      Path single = ModelArchive.isArchive(upload) ? merged(upload) : upload;
      if (imageSize.isPresent()) {
        StatedImageSize.append(single, imageSize.get());
      }
      ImportedModel model = imported(single, PREFIX + hash, name, line, cancelled);
      StoredModel stored = StoredModel.of(model, Instant.now());
      Durable.force(single);
      synchronized (names) {
        describe(hash, stored);
        Files.move(single, file(hash, MODEL), StandardCopyOption.ATOMIC_MOVE);
      }
      recent.putIfAbsent(model.id(), model);
      return stored;
    } catch (IOException e) {
      throw failed("the model '" + name + "' cannot be stored", e);
    } finally {
      discard(upload);
    }
  }

  /** In place of an archive the one file that it comes to. */
  private Path merged(Path archive) throws IOException {
    Path single = newUpload();
    try {
      ModelArchive.merge(archive, single, maxBytes);
      Files.move(single, archive, StandardCopyOption.REPLACE_EXISTING);
      return archive;
    } finally {
      discard(single);
    }
  }

  private void describe(String hash, StoredModel stored) throws IOException {
    Path written = newUpload();
    try {
      Files.write(written, ModelDescription.write(stored));
      Durable.force(written);
      Files.move(written, file(hash, DESCRIPTION), StandardCopyOption.ATOMIC_MOVE);
    } finally {
      discard(written);
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
   * A model by id, read and ready to be run. Those who want the same wait for one to read it.
   *
   * @throws HaqException UNKNOWN_MODEL when there is none, BUSY when too many wait already, or
   *     CANCELLED
   */
  public ImportedModel get(String id, BooleanSupplier cancelled) {
    if (id.equals(BuiltinShapes.ID)) {
      return builtin();
    }
    hash(id); // another replica may have deleted what is kept here
    return read.get(id, () -> readStored(id, cancelled), cancelled);
  }

  private ImportedModel readStored(String id, BooleanSupplier cancelled) {
    String hash = hash(id);
    try {
      String name = readDescription(hash).network().name();
      return imported(file(hash, MODEL), id, name, reads, cancelled);
    } catch (NoSuchFileException e) {
      throw unknown(id);
    } catch (IOException e) {
      throw failed("the model " + id + " cannot be read", e);
    }
  }

  private ImportedModel imported(
      Path file, String id, String name, Line line, BooleanSupplier cancelled) throws IOException {
    importing.enter(line, cancelled);
    try {
      return ModelImporter.read(file, id, name, maxBytes, cancelled);
    } finally {
      importing.leave();
    }
  }

  /**
   * The file of a model, to be read and closed.
   *
   * @throws HaqException UNKNOWN_MODEL when there is none
   */
  public InputStream open(String id) {
    if (id.equals(BuiltinShapes.ID)) {
      return new ByteArrayInputStream(BuiltinShapes.model());
    }
    try {
      return Files.newInputStream(file(hash(id), MODEL));
    } catch (NoSuchFileException e) {
      throw unknown(id);
    } catch (IOException e) {
      throw failed("the model " + id + " cannot be read", e);
    }
  }

  /**
   * What is told about a model; it is not read for that.
   *
   * @throws HaqException UNKNOWN_MODEL when there is none
   */
  public StoredModel describe(String id) {
    if (id.equals(BuiltinShapes.ID)) {
      return StoredModel.of(builtin(), Instant.EPOCH);
    }
    String hash = hash(id);
    try {
      return readDescription(hash);
    } catch (NoSuchFileException e) {
      throw unknown(id);
    } catch (IOException e) {
      throw failed("the model " + id + " cannot be read", e);
    }
  }

  /**
   * Removes a model. What has read it goes on.
   *
   * @throws HaqException UNKNOWN_MODEL when there is none; INVALID_ARGUMENT for the built-in
   */
  public void delete(String id) {
    if (id.equals(BuiltinShapes.ID)) {
      throw HaqException.invalid("the model '%s' is built in and cannot be deleted", id);
    }
    String hash = hash(id);
    try {
      synchronized (names) {
        Files.deleteIfExists(file(hash, MODEL));
        Files.deleteIfExists(file(hash, DESCRIPTION));
      }
    } catch (IOException e) {
      throw failed("the model " + id + " cannot be deleted", e);
    }
    recent.removeIf(id::equals);
  }

  /**
   * The built-in model, then the uploaded ones, oldest first. One whose description is damaged is
   * left out, so that it does not hide the others.
   */
  public List<StoredModel> list() {
    List<StoredModel> models = new ArrayList<>();
    for (String hash : hashes()) {
      try {
        models.add(readDescription(hash));
      } catch (NoSuchFileException e) {
        LOG.debug("model {}{} was deleted meanwhile", PREFIX, hash);
      } catch (IOException | HaqException e) {
        LOG.warn("the description of model {}{} cannot be read", PREFIX, hash, e);
      }
    }
    models.sort(Comparator.comparing(StoredModel::created).thenComparing(StoredModel::id));
    models.add(0, describe(BuiltinShapes.ID));
    return List.copyOf(models);
  }

  /** Of all models that are stored, whether or not their descriptions can be read. */
  public List<String> ids() {
    return Stream.concat(Stream.of(BuiltinShapes.ID), hashes().stream().map(PREFIX::concat))
        .toList();
  }

  private List<String> hashes() {
    try (Stream<Path> files = Files.list(folder)) {
      return files
          .map(file -> file.getFileName().toString())
          .filter(name -> name.endsWith(MODEL))
          .map(name -> name.substring(0, name.length() - MODEL.length()))
          .filter(this::isStored)
          .toList();
    } catch (IOException | UncheckedIOException e) {
      throw failed("the model folder " + folder + " cannot be read", e);
    }
  }

  private String hash(String id) {
    String hash = id.startsWith(PREFIX) ? id.substring(PREFIX.length()) : "";
    if (!isStored(hash)) {
      throw unknown(id);
    }
    return hash;
  }

  private static HaqException unknown(String id) {
    return new HaqException(
        Reason.UNKNOWN_MODEL,
        "there is no model '" + id + "': import it first, or use " + BuiltinShapes.ID);
  }

  private boolean isStored(String hash) {
    return HASH.matcher(hash).matches()
        && Files.exists(file(hash, MODEL))
        && Files.exists(file(hash, DESCRIPTION));
  }

  private StoredModel readDescription(String hash) throws IOException {
    return ModelDescription.read(Files.readAllBytes(file(hash, DESCRIPTION)));
  }

  /** Small, and always kept. */
  private synchronized ImportedModel builtin() {
    if (builtin == null) {
      builtin = ModelImporter.read(BuiltinShapes.model(), BuiltinShapes.ID, "shapes");
    }
    return builtin;
  }

  /**
   * Uploads, archives that were being unpacked, what is left of models that were being deleted, and
   * weights that were about to be mapped.
   */
  private void removeAbandoned() throws IOException {
    Abandoned.remove(
        folder,
        file -> {
          String name = file.getFileName().toString();
          return name.endsWith(UPLOAD)
              || name.startsWith(ModelArchive.UNPACKED)
              || (name.endsWith(DESCRIPTION)
                  && !Files.exists(
                      folder.resolve(
                          name.substring(0, name.length() - DESCRIPTION.length()) + MODEL)));
        });
    MappedWeights.removeAbandoned();
  }

  private Path file(String hash, String suffix) {
    return folder.resolve(hash + suffix);
  }

  private static String sha256(Path file, String suffix) throws IOException {
    Sha256 hash = new Sha256();
    byte[] buffer = new byte[1 << 16];
    try (InputStream content = Files.newInputStream(file)) {
      for (int read = content.read(buffer); read >= 0; read = content.read(buffer)) {
        hash.add(ByteBuffer.wrap(buffer, 0, read));
      }
    }
    return hash.add(suffix).hex();
  }

  private static HaqException failed(String what, Exception e) {
    return DiskErrors.failed(what, e);
  }
}
