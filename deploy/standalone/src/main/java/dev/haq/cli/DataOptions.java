package dev.haq.cli;

import dev.haq.model.HaqException;
import dev.haq.proto.model.v1.DataSelection;
import dev.haq.proto.quantizer.v1.Dataset;
import dev.haq.wire.DataWire;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import picocli.CommandLine.Option;

/** The images that a command is about. */
final class DataOptions {
  /** What takes long where there are many images, for {@link Waiting}. */
  static final String SENDING = "reading the images and handing them to the services ...";

  @Option(
      names = "--data",
      required = true,
      paramLabel = "DATA",
      description =
          "A folder with one folder a class; a .zip or .tar.gz of such a folder; a CIFAR-10 or"
              + " CIFAR-100 .bin file; a .zip of two IDX files (MNIST); an .npz with images and"
              + " labels; the id of imported data (sha256:...); or builtin:shapes.")
  private String data;

  @Option(
      names = "--preprocess",
      paramLabel = "PRESET|FILE",
      completionCandidates = PreprocessFile.Presets.class,
      description =
          "${COMPLETION-CANDIDATES}, or a YAML file with resize_short_side, crop,"
              + " mean, std, channels. Default: preprocess.yaml beside the data.")
  private String preprocess;

  @Option(
      names = "--images",
      paramLabel = "N",
      description = "Use at most this many images; all by default.")
  private int images;

  @Option(
      names = "--calibration-images",
      paramLabel = "N",
      description = "How many images calibration reads; 64 by default.")
  private int calibrationImages;

  @Option(
      names = "--held-out",
      paramLabel = "F",
      description =
          "Share of the images kept for the final table, 0 or more and below 1; 0.5 by default.")
  private Double heldOut;

  /** Refuses figures that are out of range, before anything is started or sent. */
  void check() {
    if (images < 0 || calibrationImages < 0) {
      throw HaqException.invalid("--images and --calibration-images must not be negative");
    }
    if (heldOut != null && !(heldOut >= 0 && heldOut < 1)) {
      throw HaqException.invalid("--held-out %s must be 0 or more and below 1", heldOut);
    }
  }

  /**
   * The images as services know them, imported first where they are not known yet.
   *
   * @param terminal told what was decided of the data that they do not say
   * @param split which part of them
   */
  DataSelection resolve(GatewayClient client, Terminal terminal, DataSelection.Split split) {
    DataSelection.Builder selection =
        DataSelection.newBuilder()
            .setSplit(split)
            .setMaxImages(images)
            .setCalibrationImages(calibrationImages);
    if (heldOut != null) {
      selection.setHeldOutFraction(heldOut);
    }
    preprocessing().ifPresent(p -> selection.setPreprocessing(DataWire.toProto(p)));
    return selection.setDataset(dataset(client, terminal)).build();
  }

  /**
   * All images of another dataset, prepared as it says itself, else as these are.
   *
   * @param terminal as of {@link #resolve}
   * @param other a file, folder or id as {@code --data} takes
   * @param option names it in errors
   */
  DataSelection resolveOther(GatewayClient client, Terminal terminal, String option, String other) {
    DataSelection.Builder selection = DataSelection.newBuilder();
    Optional<dev.haq.model.Preprocessing> own =
        Digests.isId(other) ? Optional.empty() : PreprocessFile.beside(Path.of(other));
    own.or(() -> preprocess == null ? Optional.empty() : preprocessing())
        .ifPresent(p -> selection.setPreprocessing(DataWire.toProto(p)));
    return selection.setDataset(dataset(client, terminal, option, other)).build();
  }

  private Optional<dev.haq.model.Preprocessing> preprocessing() {
    if (preprocess != null) {
      return Optional.of(PreprocessFile.option(preprocess));
    }
    return Digests.isId(data) ? Optional.empty() : PreprocessFile.beside(Path.of(data));
  }

  private String dataset(GatewayClient client, Terminal terminal) {
    return dataset(client, terminal, "--data", data);
  }

  private static String dataset(
      GatewayClient client, Terminal terminal, String option, String data) {
    if (Digests.isId(data)) {
      return data;
    }
    Dataset dataset = ofFile(client, option, data);
    dataset.getNotesList().forEach(terminal::note);
    return dataset.getId();
  }

  private static Dataset ofFile(GatewayClient client, String option, String data) {
    Path path = Path.of(data);
    String name = path.toAbsolutePath().normalize().getFileName().toString();
    if (Files.isDirectory(path)) {
      return packed(client, path, name, option);
    }
    if (!Files.isRegularFile(path)) {
      throw HaqException.invalid(
          "%s %s: there is no such file or folder; give one, sha256:... or %s",
          option, data, ModelOption.BUILTIN);
    }
    return imported(client, path, name, option + " " + data);
  }

  private static Dataset packed(GatewayClient client, Path folder, String name, String option) {
    try {
      Path zip = Files.createTempFile("haq-data-", ".zip");
      zip.toFile().deleteOnExit(); // Ctrl-C ends nothing that follows in order
      try {
        FolderZip.pack(folder, zip);
        return imported(client, zip, name, option + " " + folder);
      } finally {
        Files.deleteIfExists(zip);
      }
    } catch (IOException e) {
      throw HaqException.invalid(
          "%s %s: cannot be packed in %s: %s; name another folder with"
              + " HAQ_JAVA_OPTS=-Djava.io.tmpdir=DIR, or give a zip of the folder",
          option, folder, System.getProperty("java.io.tmpdir"), FileFault.why(e));
    }
  }

  private static Dataset imported(GatewayClient client, Path file, String name, String origin) {
    return client
        .findDataset(Digests.of(file))
        .orElseGet(() -> client.importDataset(file, name, origin));
  }
}
