package dev.haq.cli;

import dev.haq.model.HaqException;
import dev.haq.model.ImageSize;
import dev.haq.proto.quantizer.v1.Model;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Option;
import picocli.CommandLine.TypeConversionException;

/** The model that a command is about. */
final class ModelOption {
  static final String BUILTIN = "builtin:shapes";

  @Option(
      names = "--model",
      required = true,
      paramLabel = "MODEL",
      description = "An ONNX file, the id of an imported model (sha256:...), or builtin:shapes.")
  private String model;

  @Option(
      names = "--image-size",
      paramLabel = "PIXELS",
      converter = SizeText.class,
      description =
          "224, or height and width as 224x192: of images that the ONNX file leaves open. Each size"
              + " is a model of its own.")
  private ImageSize imageSize;

  private void checkSize() {
    if (imageSize != null && Digests.isId(model)) {
      throw HaqException.invalid(
          "--image-size %s is for an ONNX file, and --model %s is imported already, with its size: leave --image-size out, or give the file",
          imageSize, model);
    }
  }

  private String id(Path file) {
    return Digests.of(file, imageSize == null ? "" : imageSize.toString());
  }

  /**
   * The model as the service describes it, imported first where it is not known yet.
   *
   * @param terminal told what of the model is not quantized
   */
  Model resolve(GatewayClient client, Terminal terminal) {
    checkSize();
    Model known = Digests.isId(model) ? client.model(model) : ofFile(client, file());
    known.getNotesList().forEach(terminal::note);
    return known;
  }

  private Model ofFile(GatewayClient client, Path file) {
    return client
        .findModel(id(file))
        .orElseGet(
            () ->
                client.importModel(
                    file,
                    file.getFileName().toString(),
                    Optional.ofNullable(imageSize),
                    "--model " + model));
  }

  /** So that a size that is none is the option's error. */
  static final class SizeText implements ITypeConverter<ImageSize> {
    @Override
    public ImageSize convert(String text) {
      try {
        return ImageSize.parse(text);
      } catch (HaqException e) {
        throw new TypeConversionException(e.getMessage());
      }
    }
  }

  private Path file() {
    Path file = Path.of(model);
    if (!Files.isRegularFile(file)) {
      throw HaqException.invalid(
          "--model %s: there is no such file; give an ONNX file, sha256:... or %s", model, BUILTIN);
    }
    return file;
  }
}
