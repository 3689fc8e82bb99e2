package dev.haq.quantizer.eval;

import dev.haq.model.Accuracy;
import dev.haq.model.DataSelection;
import dev.haq.model.HaqException;
import dev.haq.model.Operand;
import dev.haq.model.Recipe;
import dev.haq.proto.quantizer.v1.MeasureSensitivityResponse;
import dev.haq.proto.quantizer.v1.SensitivityEntry;
import dev.haq.quantizer.disk.Abandoned;
import dev.haq.quantizer.disk.DiskErrors;
import dev.haq.quantizer.disk.FilesOf;
import dev.haq.quantizer.disk.Sha256;
import dev.haq.quantizer.eval.LayerSensitivity.Point;
import dev.haq.wire.BitsWire;
import dev.haq.wire.DataWire;
import dev.haq.wire.RecipeWire;
import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Sensitivities that were measured, in a folder that replicas may share: a file for each model,
 * data and recipe, about 100 bytes an entry, which holds the messages that callers got. A file is
 * replaced as a whole, so it is always complete; of two replicas that add to one at the same moment
 * one may lose what it added, and measures it again when asked. All of it can be deleted.
 */
public final class SensitivityStore {
  /** Part of every key: to be raised when the same request would be answered otherwise. */
  private static final String METHOD = "3";

  private static final Logger LOG = LoggerFactory.getLogger(SensitivityStore.class);

  private final Path folder;

  public SensitivityStore(Path folder) {
    this.folder = folder;
    try {
      Files.createDirectories(folder);
      Abandoned.remove(folder, file -> file.toString().endsWith(".part"));
    } catch (IOException e) {
      throw failed(e);
    }
  }

  /**
   * What is known for a model, data and recipe.
   *
   * @param baseline of the float model; empty when nothing is known
   */
  record Known(Optional<Accuracy> baseline, Map<Point, LayerSensitivity> entries) {}

  /** The name under which a measurement is kept. */
  static String key(String model, DataSelection data, Recipe recipe) {
    String hash =
        new Sha256()
            .add(METHOD + "\n" + model + "\n")
            .add(DataWire.toProto(data).toByteArray())
            .add("\n")
            .add(RecipeWire.toProto(recipe).toByteArray())
            .hex();
    return FilesOf.name(hash, model, data.datasetId());
  }

  /** Removes what is kept of a model or a dataset. */
  void remove(String id) {
    FilesOf.remove(folder, id);
  }

  Known read(String key) {
    Optional<Accuracy> baseline = Optional.empty();
    Map<Point, LayerSensitivity> entries = new LinkedHashMap<>();
    try (InputStream in = new BufferedInputStream(Files.newInputStream(file(key)))) {
      MeasureSensitivityResponse part = MeasureSensitivityResponse.parseDelimitedFrom(in);
      while (part != null) {
        if (part.hasStart()) {
          baseline = Optional.of(DataWire.fromProto(part.getStart().getBaseline()));
        } else {
          LayerSensitivity entry = fromProto(part.getEntry());
          entries.put(entry.point(), entry);
        }
        part = MeasureSensitivityResponse.parseDelimitedFrom(in);
      }
    } catch (NoSuchFileException e) {
      return new Known(Optional.empty(), Map.of());
    } catch (IOException | HaqException e) {
      LOG.warn("the sensitivities in {} cannot be read and are measured again", file(key), e);
      return new Known(Optional.empty(), Map.of());
    }
    return new Known(baseline, entries);
  }

  /** Adds entries to those that are kept; a disk that refuses them is no error. */
  void add(String key, Accuracy baseline, Collection<LayerSensitivity> added) {
    Map<Point, LayerSensitivity> entries = new LinkedHashMap<>(read(key).entries());
    added.forEach(entry -> entries.put(entry.point(), entry));
    try {
      Path written = Files.createTempFile(folder, key, ".part");
      try {
        try (OutputStream out = new BufferedOutputStream(Files.newOutputStream(written))) {
          MeasureSensitivityResponse.newBuilder()
              .setStart(
                  MeasureSensitivityResponse.Start.newBuilder()
                      .setBaseline(DataWire.toProto(baseline)))
              .build()
              .writeDelimitedTo(out);
          for (LayerSensitivity entry : entries.values()) {
            MeasureSensitivityResponse.newBuilder()
                .setEntry(toProto(entry))
                .build()
                .writeDelimitedTo(out);
          }
        }
        Files.move(
            written,
            file(key),
            StandardCopyOption.ATOMIC_MOVE,
            StandardCopyOption.REPLACE_EXISTING);
      } finally {
        Files.deleteIfExists(written);
      }
    } catch (IOException e) {
      LOG.warn("sensitivities cannot be kept in {}; they are measured again next time", folder, e);
    }
  }

  /** An entry as the message that callers get of it, but for what depends on the call. */
  public static SensitivityEntry toProto(LayerSensitivity entry) {
    SensitivityEntry.Builder message =
        SensitivityEntry.newBuilder()
            .setLayer(entry.point().layer())
            .setOperand(BitsWire.toProto(entry.point().operand()))
            .setBits(entry.point().bits())
            .setAccuracy(DataWire.toProto(entry.accuracy()));
    entry.signalToNoiseDb().ifPresent(message::setSignalToNoiseDb);
    return message.build();
  }

  private static LayerSensitivity fromProto(SensitivityEntry message) {
    Operand operand = BitsWire.fromProto(message.getOperand());
    return new LayerSensitivity(
        new Point(message.getLayer(), operand, message.getBits()),
        DataWire.fromProto(message.getAccuracy()),
        message.hasSignalToNoiseDb()
            ? OptionalDouble.of(message.getSignalToNoiseDb())
            : OptionalDouble.empty());
  }

  private Path file(String key) {
    return folder.resolve(key + ".sensitivity");
  }

  private HaqException failed(IOException e) {
    return DiskErrors.failed("sensitivities cannot be kept in " + folder, e);
  }
}
