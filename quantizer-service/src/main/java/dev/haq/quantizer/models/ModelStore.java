package dev.haq.quantizer.models;

import dev.haq.model.HaqException;
import dev.haq.model.ImageSize;
import dev.haq.quantizer.builtin.BuiltinShapes;
import dev.haq.quantizer.disk.DiskErrors;
import dev.haq.quantizer.importing.ModelArchive;
import dev.haq.quantizer.importing.ModelImporter;
import dev.haq.quantizer.importing.StatedImageSize;
import dev.haq.quantizer.onnx.ImportedModel;
import dev.haq.quantizer.sharing.Line;
import dev.haq.quantizer.sharing.LruCache;
import dev.haq.quantizer.sharing.MadeOnce;
import dev.haq.quantizer.sharing.Places;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
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
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Models by the SHA-256 of the bytes that were sent, in {@link ModelFiles}. Immutable, so the ones
 * read lately are kept in memory. Safe for use by many threads.
 */
public final class ModelStore {
  /** At once: each may take more than 1 GB besides its model's weights. */
  private static final int MOST_IMPORTS = 2;

  /** Waiting calls hold threads that serve all calls. */
  private static final int MOST_WAITING = 8;

  private static final Logger LOG = LoggerFactory.getLogger(ModelStore.class);

  private final ModelFiles files;
  private final long maxBytes;
  private final LruCache<String, ImportedModel> recent;
  private final MadeOnce<String, ImportedModel> read;
  private final Places importing = new Places(MOST_IMPORTS);
  private final Line uploads = new Line(MOST_WAITING, "uploads wait for models to be checked");
  private final Line reads = new Line(MOST_WAITING, "calls wait for models to be read");

  private ImportedModel builtin;

  /**
   * @param maxBytes of one model's file, and of what its constants come to
   * @param kept how many models are kept in memory; fewer where they come to more bytes than one
   *     may have
   */
  public ModelStore(Path folder, long maxBytes, int kept) {
    this.files = new ModelFiles(folder);
    this.maxBytes = maxBytes;
    this.recent = new LruCache<>(kept, maxBytes, ImportedModel::heldBytes);
    this.read = new MadeOnce<>(recent, new Line(2 * MOST_WAITING, "calls wait for one model"));
  }

  /** A new file beside the models, for an upload to be written to; {@link #add} takes it. */
  public Path newUpload() {
    return files.newUpload();
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
      String hash = ModelFiles.sha256(upload, imageSize.map(ImageSize::toString).orElse(""));
      if (files.isStored(hash)) {
        return files.description(hash);
      }
      Path single = ModelArchive.isArchive(upload) ? merged(upload) : upload;
      if (imageSize.isPresent()) {
        StatedImageSize.append(single, imageSize.get());
      }
      ImportedModel model = imported(single, ModelFiles.id(hash), name, line, cancelled);
      StoredModel stored = StoredModel.of(model, Instant.now());
      files.put(hash, single, stored);
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

  /** Removes an upload that is not wanted after all. */
  public void discard(Path upload) {
    files.discard(upload);
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
    files.hash(id); // another replica may have deleted what is kept here
    return read.get(id, () -> readStored(id, cancelled), cancelled);
  }

  private ImportedModel readStored(String id, BooleanSupplier cancelled) {
    String hash = files.hash(id);
    try {
      String name = files.description(hash).network().name();
      return imported(files.model(hash), id, name, reads, cancelled);
    } catch (NoSuchFileException e) {
      throw ModelFiles.unknown(id);
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
      return Files.newInputStream(files.model(files.hash(id)));
    } catch (NoSuchFileException e) {
      throw ModelFiles.unknown(id);
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
    String hash = files.hash(id);
    try {
      return files.description(hash);
    } catch (NoSuchFileException e) {
      throw ModelFiles.unknown(id);
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
    String hash = files.hash(id);
    try {
      files.remove(hash);
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
    for (String hash : files.hashes()) {
      try {
        models.add(files.description(hash));
      } catch (NoSuchFileException e) {
        LOG.debug("model {} was deleted meanwhile", ModelFiles.id(hash));
      } catch (IOException | HaqException e) {
        LOG.warn("the description of model {} cannot be read", ModelFiles.id(hash), e);
      }
    }
    models.sort(Comparator.comparing(StoredModel::created).thenComparing(StoredModel::id));
    models.add(0, describe(BuiltinShapes.ID));
    return List.copyOf(models);
  }

  /** Of all models that are stored, whether or not their descriptions can be read. */
  public List<String> ids() {
    return Stream.concat(Stream.of(BuiltinShapes.ID), files.hashes().stream().map(ModelFiles::id))
        .toList();
  }

  /** Small, and always kept. */
  private synchronized ImportedModel builtin() {
    if (builtin == null) {
      builtin = ModelImporter.read(BuiltinShapes.model(), BuiltinShapes.ID, "shapes");
    }
    return builtin;
  }

  private static HaqException failed(String what, Exception e) {
    return DiskErrors.failed(what, e);
  }
}
