package dev.haq.quantizer.models;

import dev.haq.model.HaqException;
import dev.haq.model.Reason;
import dev.haq.quantizer.builtin.BuiltinShapes;
import dev.haq.quantizer.disk.Abandoned;
import dev.haq.quantizer.disk.DiskErrors;
import dev.haq.quantizer.disk.Durable;
import dev.haq.quantizer.disk.Sha256;
import dev.haq.quantizer.importing.ModelArchive;
import dev.haq.quantizer.onnx.MappedWeights;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Models in a folder that replicas may share, by the SHA-256 of the bytes that were sent: {@code
 * <hash>.onnx}, and {@code <hash>.json} which describes it, so that models are listed without being
 * read. The description is there before the model and goes after it, so a model is there completely
 * or not at all.
 */
final class ModelFiles {
  private static final String PREFIX = "sha256:";
  private static final String MODEL = ".onnx";
  private static final String DESCRIPTION = ".json";
  private static final String UPLOAD = ".part";
  private static final Pattern HASH = Pattern.compile("[0-9a-f]{64}");

  private final Path folder;

  /** Held while both files of a model come or go. */
  private final Object names = new Object();

  ModelFiles(Path folder) {
    this.folder = folder;
    try {
      Files.createDirectories(folder);
      removeAbandoned();
    } catch (IOException e) {
      throw failed("the model folder " + folder + " cannot be used", e);
    }
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

  /** A new file beside the models. */
  Path newUpload() {
    try {
      return Files.createTempFile(folder, "upload", UPLOAD);
    } catch (IOException e) {
      throw failed("a model cannot be stored", e);
    }
  }

  void discard(Path upload) {
    try {
      Files.deleteIfExists(upload);
    } catch (IOException e) {
      throw failed("the upload cannot be cleared away", e);
    }
  }

  /** What a model is known by. */
  static String id(String hash) {
    return PREFIX + hash;
  }

  /**
   * @throws HaqException UNKNOWN_MODEL when none of this id is stored
   */
  String hash(String id) {
    String hash = id.startsWith(PREFIX) ? id.substring(PREFIX.length()) : "";
    if (!isStored(hash)) {
      throw unknown(id);
    }
    return hash;
  }

  static HaqException unknown(String id) {
    return new HaqException(
        Reason.UNKNOWN_MODEL,
        "there is no model '" + id + "': import it first, or use " + BuiltinShapes.ID);
  }

  boolean isStored(String hash) {
    return HASH.matcher(hash).matches()
        && Files.exists(model(hash))
        && Files.exists(file(hash, DESCRIPTION));
  }

  /** Of all models that are stored. */
  List<String> hashes() {
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

  /** The file of a model. */
  Path model(String hash) {
    return file(hash, MODEL);
  }

  StoredModel description(String hash) throws IOException {
    return ModelDescription.read(Files.readAllBytes(file(hash, DESCRIPTION)));
  }

  /** Takes a model's file over. */
  void put(String hash, Path model, StoredModel description) throws IOException {
    Durable.force(model);
    synchronized (names) {
      describe(hash, description);
      Files.move(model, model(hash), StandardCopyOption.ATOMIC_MOVE);
    }
  }

  private void describe(String hash, StoredModel description) throws IOException {
    Path written = newUpload();
    try {
      Files.write(written, ModelDescription.write(description));
      Durable.force(written);
      Files.move(written, file(hash, DESCRIPTION), StandardCopyOption.ATOMIC_MOVE);
    } finally {
      discard(written);
    }
  }

  void remove(String hash) throws IOException {
    synchronized (names) {
      Files.deleteIfExists(model(hash));
      Files.deleteIfExists(file(hash, DESCRIPTION));
    }
  }

  private Path file(String hash, String suffix) {
    return folder.resolve(hash + suffix);
  }

  /** Of a file and some text after it. */
  static String sha256(Path file, String suffix) throws IOException {
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
