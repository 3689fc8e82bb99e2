package dev.haq.quantizer.data;

import dev.haq.model.HaqException;
import dev.haq.model.Preprocessing;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Prepares pictures while an import decodes them to check them, so that this is done once. It needs
 * a preprocessing that says how large they become; where that or the disk has no room for it,
 * nothing is prepared, and it is done when they are first wanted. Many threads may {@link #take}.
 */
final class EarlyPreparation implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(EarlyPreparation.class);

  private final PreparedFiles files;
  private final Path made;
  private final Optional<ImagePreparation> preparation;
  private final Optional<Geometry> geometry;
  private final Optional<PreparedFile> file;
  private final PreparedFile.Filler filler;
  private volatile boolean abandoned;

  private EarlyPreparation(
      PreparedFiles files, Path made, Optional<Geometry> geometry, Optional<PreparedFile> file) {
    this.files = files;
    this.made = made;
    this.geometry = geometry;
    this.preparation = geometry.map(ImagePreparation::new);
    this.file = file;
    this.filler = new PreparedFile.Filler(file);
    this.abandoned = file.isEmpty();
  }

  /**
   * @param made is written to until the dataset is known to be sound, and gone in the end
   * @param images that are checked; those that need no decoding are left for later
   * @param preprocessing of the dataset
   */
  static EarlyPreparation of(
      PreparedFiles files, Path made, ImageSource images, Optional<Preprocessing> preprocessing) {
    Optional<Geometry> geometry =
        images instanceof ClassFolders
            ? geometry(images, preprocessing.orElseGet(() -> Preprocessing.preset("raw")))
            : Optional.empty();
    Optional<PreparedFile> file =
        geometry
            .filter(g -> fits(files, PreparedFile.bytes(images.size(), g.bytes())))
            .flatMap(g -> open(made, images.size(), g.bytes()));
    return new EarlyPreparation(files, made, geometry, file);
  }

  private static boolean fits(PreparedFiles files, long bytes) {
    return files.mayKeep(bytes) && files.hasRoom(bytes);
  }

  /** As large as the crop is, or as the first image where nothing is resized. */
  private static Optional<Geometry> geometry(ImageSource images, Preprocessing preprocessing) {
    if (preprocessing.cropHeight() > 0) {
      return Optional.of(
          Geometry.of(
              preprocessing,
              RgbImage.CHANNELS,
              preprocessing.cropHeight(),
              preprocessing.cropWidth()));
    }
    if (preprocessing.resizeShortSide() > 0) {
      return Optional.empty();
    }
    RgbImage first = images.decode(0);
    return Optional.of(
        Geometry.of(preprocessing, RgbImage.CHANNELS, first.height(), first.width()));
  }

  private static Optional<PreparedFile> open(Path made, int images, int bytes) {
    try {
      return Optional.of(PreparedFile.open(made, images, bytes));
    } catch (IOException e) {
      return Optional.empty();
    }
  }

  /** Takes an image that was decoded. */
  void take(int image, RgbImage decoded, String name) {
    if (abandoned) {
      return;
    }
    try {
      filler.write(image, preparation.orElseThrow().prepare(decoded, name));
    } catch (HaqException e) {
      abandoned = true; // said when somebody wants it so prepared
    }
  }

  /** Keeps what was prepared, if all was. */
  void keep(String dataset) {
    if (!abandoned && filler.isWhole()) {
      files.adopt(made, dataset, geometry.orElseThrow());
    }
  }

  /** Removes what was not kept. */
  @Override
  public void close() {
    file.ifPresent(PreparedFile::close);
    try {
      Files.deleteIfExists(made);
    } catch (IOException e) {
      LOG.warn("what was prepared of a dataset in {} cannot be removed", made, e);
    }
  }
}
