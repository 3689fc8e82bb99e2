package dev.haq.quantizer.data;

import dev.haq.model.FullDisk;
import dev.haq.model.HaqException;
import dev.haq.model.Preprocessing;
import dev.haq.model.Reason;
import dev.haq.quantizer.disk.DiskErrors;
import dev.haq.quantizer.disk.Sha256;
import dev.haq.quantizer.sharing.Waits;
import dev.haq.wire.PreprocessingFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.util.Optional;
import java.util.function.BooleanSupplier;

/**
 * A dataset on its way in: {@link #write} its chunks, then {@link #finish}; closing an upload that
 * did not finish removes all of it. The id hashes the bytes, the preprocessing when one is declared
 * with them, and the format when one is declared that they would not be taken for: the same bytes
 * prepared or read otherwise are another dataset. One caller at a time.
 */
public final class DatasetUpload implements AutoCloseable {
  private final DatasetStore store;
  private final Path folder;
  private final Path content;
  private final String name;
  private final Optional<DatasetFormat> format;
  private final Optional<Preprocessing> declared;
  private final ArchiveLimits limits;
  private final FileChannel file;
  private final Sha256 hash = new Sha256();
  private long bytes;

  DatasetUpload(
      DatasetStore store,
      Path folder,
      Path content,
      String name,
      Optional<DatasetFormat> format,
      Optional<Preprocessing> declared,
      ArchiveLimits limits)
      throws IOException {
    this.store = store;
    this.folder = folder;
    this.content = content;
    this.name = name;
    this.format = format;
    this.declared = declared;
    this.limits = limits;
    this.file = FileChannel.open(content, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
  }

  /**
   * Appends a chunk of the file.
   *
   * @throws HaqException TOO_LARGE when more than the limit has come
   */
  public void write(ByteBuffer chunk) {
    bytes += chunk.remaining();
    if (bytes > limits.uploadBytes()) {
      throw new HaqException(
          Reason.TOO_LARGE,
          "the dataset '"
              + name
              + "' is larger than "
              + limits.uploadBytes()
              + " bytes: send less, or raise limits.dataset-bytes (HAQ_QUANTIZER_MAX_DATASET_BYTES)");
    }
    hash.add(chunk.duplicate());
    try {
      while (chunk.hasRemaining()) {
        file.write(chunk);
      }
    } catch (IOException e) {
      throw DatasetStore.failed("the dataset '" + name + "' cannot be stored", e);
    }
  }

  /**
   * Checks the whole file, decoding every image, and stores it. A dataset that is there already is
   * answered as it is.
   *
   * @param cancelled asked now and then whether nobody waits for it any more
   * @throws HaqException INVALID_DATASET or TOO_LARGE naming the entry or image and what is wrong;
   *     BUSY when too many wait already, or CANCELLED
   */
  public DatasetInfo finish(BooleanSupplier cancelled) {
    try {
      file.close();
      declared.ifPresent(
          preprocessing -> hash.add(PreprocessingFile.write(preprocessing).toString()));
      if (isReadOtherwise()) {
        hash.add(format.orElseThrow().label());
      }
      String id = DatasetStore.id(hash.hex());
      Optional<DatasetInfo> present = store.find(id);
      if (present.isPresent()) {
        return present.get();
      }
      store.enterChecking(cancelled);
      try {
        return store.add(folder, check(id, cancelled));
      } finally {
        store.leaveChecking();
      }
    } catch (IOException e) {
      throw DatasetStore.failed("the dataset '" + name + "' cannot be stored", e);
    }
  }

  /** Whether the bytes would be taken for another format than the one declared. */
  private boolean isReadOtherwise() {
    try {
      return format.isPresent() && DatasetFormat.detect(content) != format.get();
    } catch (IOException | RuntimeException e) {
      return false; // for none
    }
  }

  private DatasetInfo check(String id, BooleanSupplier cancelled) {
    try {
      DatasetFormat actual = normalised();
      try (ImageSource images = DatasetStore.open(content, actual)) {
        Optional<Preprocessing> own =
            images instanceof ClassFolders folders ? folders.preprocessing() : Optional.empty();
        Optional<Preprocessing> preprocessing =
            declared.or(() -> own).map(Preprocessing::ofPixelsTo255);
        decodeAll(id, images, preprocessing, cancelled);
        return new DatasetInfo(
            id,
            name,
            images.size(),
            images.classes(),
            actual,
            preprocessing,
            bytes,
            images.notes(),
            Instant.now());
      }
    } catch (IOException | RuntimeException e) {
      if (e instanceof HaqException typed) {
        throw typed;
      }
      if (FullDisk.caused(e)) {
        throw DiskErrors.failed("the dataset '" + name + "' cannot be stored", e);
      }
      // Readers of archives answer damaged ones with any of several exceptions.
      throw new HaqException(
          Reason.INVALID_DATASET,
          "the dataset '%s' cannot be unpacked and read (%s): pack and send it again"
              .formatted(name, String.valueOf(e.getMessage()).lines().findFirst().orElse("")),
          e);
    }
  }

  private void decodeAll(
      String id,
      ImageSource images,
      Optional<Preprocessing> preprocessing,
      BooleanSupplier cancelled) {
    try (EarlyPreparation early =
        EarlyPreparation.of(store.prepared(), folder.resolve("prepared"), images, preprocessing)) {
      InOrder.run(
          images.size(),
          image -> {
            Waits.throwIf(cancelled);
            early.take(image, images.decode(image), images.name(image));
          });
      early.keep(id);
    }
  }

  /** Checks archives and makes the content what {@link DatasetStore#open} reads. */
  private DatasetFormat normalised() throws IOException {
    DatasetFormat actual = format.isPresent() ? format.get() : DatasetFormat.detect(content);
    Path unpacked = folder.resolve("unpacked");
    switch (actual) {
      case CIFAR10_BINARY, CIFAR100_BINARY -> {
        return actual;
      }
      case CLASS_FOLDERS_ZIP -> {
        ArchiveCheck.check(content, limits);
        return actual;
      }
      case CLASS_FOLDERS_TAR_GZ -> TarGz.toZip(content, unpacked, limits);
      case IDX_ZIP -> {
        ArchiveCheck.check(content, limits.forArrays());
        ArrayImport.idx(content, unpacked, limits);
      }
      case NPZ -> {
        ArchiveCheck.check(content, limits.forArrays());
        ArrayImport.npz(content, unpacked, limits);
      }
      case BUILTIN ->
          throw HaqException.invalid("the built-in format cannot be uploaded: send images");
    }
    Files.move(unpacked, content, StandardCopyOption.REPLACE_EXISTING);
    return actual;
  }

  @Override
  public void close() {
    try {
      file.close();
      DatasetStore.remove(folder);
    } catch (IOException e) {
      throw DatasetStore.failed("the upload of '" + name + "' cannot be cleared away", e);
    }
  }
}
