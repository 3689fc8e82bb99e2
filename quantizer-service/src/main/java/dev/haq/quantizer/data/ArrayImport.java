package dev.haq.quantizer.data;

import dev.haq.model.HaqException;
import dev.haq.model.Reason;
import java.io.BufferedInputStream;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.zip.GZIPInputStream;
import org.apache.commons.compress.archivers.zip.ZipArchiveEntry;
import org.apache.commons.compress.archivers.zip.ZipFile;

/**
 * Datasets whose images are one array: the two IDX files of MNIST and its kin in a zip, each also
 * packed with gzip, and NumPy's {@code .npz}. They are unpacked into {@link ArrayImages}, a few
 * images at a time.
 */
final class ArrayImport {
  private static final Pattern IDX_NAME =
      Pattern.compile("(?i).*(idx[1-4]?[-.]ubyte|\\.idx[1-4]?|-ubyte)(\\.gz)?");
  private static final int BUFFER_BYTES = 1 << 16;

  /** Of an archive, to tell its format: two arrays, and what else may lie beside them. */
  private static final int FILES_LOOKED_INTO = 16;

  /** Names of the two arrays in an .npz, the first pair that is there counts. */
  private static final List<List<String>> NPZ_PAIRS =
      List.of(
          List.of("images.npy", "labels.npy"),
          List.of("x.npy", "y.npy"),
          List.of("x_test.npy", "y_test.npy"));

  private ArrayImport() {}

  /** Whether a file of this name in an archive is one of an IDX dataset's. */
  static boolean isIdxName(String name) {
    return IDX_NAME.matcher(name).matches();
  }

  static boolean isNpyName(String name) {
    return name.endsWith(".npy");
  }

  /**
   * @param archive that {@link ArchiveCheck} has let through
   * @throws HaqException INVALID_DATASET naming the array and what is wrong with it
   */
  static void idx(Path archive, Path target, ArchiveLimits limits) throws IOException {
    try (ZipFile zip = ZipFiles.open(archive)) {
      ZipArchiveEntry images = null;
      ZipArchiveEntry labels = null;
      for (ZipArchiveEntry entry : Collections.list(zip.getEntries())) {
        int dimensions = entry.isDirectory() ? 0 : idxDimensions(zip, entry);
        if (dimensions == 1) {
          labels = only(labels, entry, "labels");
        } else if (dimensions > 2) {
          images = only(images, entry, "images");
        }
      }
      if (images == null || labels == null) {
        throw invalid(
            "there is no IDX file of "
                + (images == null ? "images" : "labels")
                + " in the archive: pack the file of images and that of their labels");
      }
      try (InputStream pixels = open(zip, images);
          InputStream classes = open(zip, labels)) {
        write(
            target,
            limits,
            NumericArray.readIdx(pixels, images.getName()),
            pixels,
            NumericArray.readIdx(classes, labels.getName()),
            classes);
      }
    }
  }

  /** As {@link #idx}, of an .npz. */
  static void npz(Path archive, Path target, ArchiveLimits limits) throws IOException {
    try (ZipFile zip = ZipFiles.open(archive)) {
      List<String> names =
          NPZ_PAIRS.stream()
              .filter(pair -> pair.stream().allMatch(name -> zip.getEntry(name) != null))
              .findFirst()
              .orElseThrow(
                  () ->
                      invalid(
                          "the .npz has no arrays 'images' and 'labels' (or 'x' and 'y'):"
                              + " numpy.savez(file, images=..., labels=...)"));
      try (InputStream pixels = open(zip, zip.getEntry(names.get(0)));
          InputStream classes = open(zip, zip.getEntry(names.get(1)))) {
        write(
            target,
            limits,
            NumericArray.readNpy(pixels, names.get(0)),
            pixels,
            NumericArray.readNpy(classes, names.get(1)),
            classes);
      }
    }
  }

  private static void write(
      Path target,
      ArchiveLimits limits,
      NumericArray images,
      InputStream pixels,
      NumericArray labels,
      InputStream classes)
      throws IOException {
    ArrayImages.Shape shape = images.asImages();
    if ((long) shape.images() * shape.bytes() > limits.unpackedBytes()) {
      throw new HaqException(
          Reason.TOO_LARGE,
          "%s unpacks to more than %d bytes: send less, or raise limits.unpacked-bytes (HAQ_QUANTIZER_MAX_UNPACKED_BYTES)"
              .formatted(images.name(), limits.unpackedBytes()));
    }
    int[] values = labels.readLabels(classes);
    if (values.length != shape.images()) {
      throw invalid(
          "there are %d images in %s and %d labels in %s: give one label an image"
              .formatted(shape.images(), images.name(), values.length, labels.name()));
    }
    ArrayImages.write(target, shape, values, pixels);
  }

  /** How many dimensions the IDX file has that an entry holds; 0 when it holds none. */
  private static int idxDimensions(ZipFile zip, ZipArchiveEntry entry) throws IOException {
    byte[] beginning;
    try (InputStream content = zip.getInputStream(entry)) {
      beginning = content.readNBytes(BUFFER_BYTES); // no head that never ends is followed
    }
    try (InputStream content = unpacked(new ByteArrayInputStream(beginning))) {
      byte[] head = content.readNBytes(4);
      return NumericArray.isIdx(head) ? head[3] : 0;
    }
  }

  private static ZipArchiveEntry only(ZipArchiveEntry known, ZipArchiveEntry entry, String what) {
    if (known != null) {
      throw invalid(
          "there are two IDX files of %s in the archive, %s and %s: pack the test set or the training set"
              .formatted(what, known.getName(), entry.getName()));
    }
    return entry;
  }

  private static InputStream open(ZipFile zip, ZipArchiveEntry entry) throws IOException {
    return unpacked(new BufferedInputStream(zip.getInputStream(entry), BUFFER_BYTES));
  }

  /**
   * @param content a stream that can be marked; taken out of gzip where it is in it
   */
  private static InputStream unpacked(InputStream content) throws IOException {
    content.mark(2);
    boolean packed = content.read() == 0x1F && content.read() == 0x8B;
    content.reset();
    return packed
        ? new BufferedInputStream(new GZIPInputStream(content, BUFFER_BYTES), BUFFER_BYTES)
        : content;
  }

  static HaqException invalid(String message) {
    return new HaqException(
        Reason.INVALID_DATASET,
        "the dataset cannot be used: " + message.replaceAll("\\p{Cntrl}", "?"));
  }

  /**
   * What an archive holds, by the names of its entries, or the heads of its first files: IDX files
   * may have any name.
   */
  static Optional<DatasetFormat> formatOf(Path archive) {
    try (ZipFile zip = ZipFiles.open(archive)) {
      List<ZipArchiveEntry> entries = Collections.list(zip.getEntries());
      for (ZipArchiveEntry entry : entries) {
        String name = entry.getName();
        if (isNpyName(name)) {
          return Optional.of(DatasetFormat.NPZ);
        }
        if (isIdxName(name)) {
          return Optional.of(DatasetFormat.IDX_ZIP);
        }
      }
      return entries.stream()
              .filter(file -> !file.isDirectory())
              .limit(FILES_LOOKED_INTO)
              .anyMatch(file -> isIdx(zip, file))
          ? Optional.of(DatasetFormat.IDX_ZIP)
          : Optional.empty();
    } catch (IOException | RuntimeException e) {
      return Optional.empty(); // ArchiveCheck says what is wrong with it
    }
  }

  private static boolean isIdx(ZipFile zip, ZipArchiveEntry entry) {
    try {
      return idxDimensions(zip, entry) > 0;
    } catch (IOException | RuntimeException e) {
      return false; // ArchiveCheck says what is wrong with it
    }
  }
}
