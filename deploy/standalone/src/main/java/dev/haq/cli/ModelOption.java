package dev.haq.cli;

import dev.haq.model.HaqException;
import dev.haq.proto.quantizer.v1.Model;
import java.nio.file.Files;
import java.nio.file.Path;
import picocli.CommandLine.Option;

/** The model that a command is about. */
final class ModelOption {
  static final String BUILTIN = "builtin:shapes";

  @Option(
      names = "--model",
      required = true,
      paramLabel = "MODEL",
      description = "An ONNX file, the id of an imported model (sha256:...), or builtin:shapes.")
  private String model;

  /** The model's id, known before any service is asked. */
  String id() {
    return Digests.isId(model) ? model : Digests.of(file());
  }

  /** The model as the service describes it, imported first where it is not known yet. */
  Model resolve(GatewayClient client) {
    if (Digests.isId(model)) {
      return client.model(model);
    }
    Path file = file();
    return client
        .findModel(Digests.of(file))
        .orElseGet(
            () -> client.importModel(file, file.getFileName().toString(), "--model " + model));
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
