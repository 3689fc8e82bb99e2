package dev.haq.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.haq.model.HaqException;
import dev.haq.proto.model.v1.DataSelection;
import dev.haq.proto.quantizer.v1.ExportRequest;
import dev.haq.proto.quantizer.v1.ExportResponse;
import dev.haq.proto.quantizer.v1.Model;
import dev.haq.wire.ExportNames;
import java.nio.file.Path;
import java.util.Set;
import java.util.concurrent.Callable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** A quantized model, or a policy, as a file for other tools. */
@Command(
    name = "export",
    description =
        "Writes the quantized model, or the policy, for other tools. Models are run again in ONNX"
            + " Runtime before they are handed out, and refused when they score otherwise than the"
            + " evaluation.",
    mixinStandardHelpOptions = true)
final class ExportCommand implements Callable<Integer> {
  private static final Set<ExportRequest.Format> TEXTS =
      Set.of(ExportRequest.Format.POLICY_JSON, ExportRequest.Format.POLICY_CSV);

  @Mixin private CommonOptions common;
  @Mixin private ModelOption model;
  @Mixin private PolicyOptions policy;
  @Mixin private RecipeOptions recipe;

  @ArgGroup(exclusive = false)
  private DataOptions data;

  @Option(
      names = "--format",
      required = true,
      paramLabel = "F",
      description = {
        "onnx: QuantizeLinear, Clip, DequantizeLinear, 2 to 8 bits, runs everywhere;",
        "onnx-int4: weights as INT4 and INT8 (operator set 21), small;",
        "qonnx: QONNX's Quant operators;",
        "aimet: a zip of a float model and AIMET 1.0.0 encodings;",
        "ort-overrides: a zip of a float model, ONNX Runtime TensorQuantOverrides and a script;",
        "json, csv: the policy; needs no --data."
      })
  private String format;

  @Option(names = "--out", required = true, paramLabel = "FILE", description = "The file to write.")
  private Path out;

  @Option(
      names = "--power-of-two-scales",
      description = "Round scales to powers of two; qonnx only.")
  private boolean powerOfTwoScales;

  @Override
  public Integer call() {
    Terminal terminal = common.terminal();
    ExportRequest.Format wanted = ExportNames.parse(format);
    if (data == null && !TEXTS.contains(wanted)) {
      throw HaqException.invalid(
          "--data is missing: images calibrate the quantizers and check the file");
    }
    if (data != null) {
      data.check();
    }
    OutFile.check(out);
    try (Connection connection = Connection.open(common)) {
      GatewayClient client = connection.client();
      Model known = model.resolve(client, common.terminal());
      ExportRequest.Builder request =
          ExportRequest.newBuilder()
              .setModel(known.getId())
              .setPolicy(policy.required(known))
              .setRecipe(recipe.recipe())
              .setFormat(wanted)
              .setPowerOfTwoScales(powerOfTwoScales);
      if (data != null) {
        request.setData(
            Waiting.on(
                terminal,
                DataOptions.SENDING,
                () -> data.resolve(client, common.terminal(), DataSelection.Split.ALL)));
      }
      ExportResponse.Header header =
          Waiting.on(
              terminal,
              data == null
                  ? "writing the policy ..."
                  : recipe.evaluating() + " then the file is run",
              () -> client.export(request.build(), out));
      if (terminal.json()) {
        terminal.document(document(known, header));
      } else {
        terminal.line("wrote %s: %d bytes", out, header.getSizeBytes());
        header.getNotesList().forEach(terminal::line);
      }
      return Haq.DONE;
    }
  }

  private ObjectNode document(Model known, ExportResponse.Header header) {
    ObjectNode document = Json.object().put("model", known.getId()).put("format", format);
    document.put("file", out.toString()).put("size_bytes", header.getSizeBytes());
    if (header.hasFileAccuracy()) {
      document.set("file_accuracy", Json.tree(header.getFileAccuracy()));
      document.set("evaluated_accuracy", Json.tree(header.getEvaluatedAccuracy()));
    }
    header.getNotesList().forEach(document.putArray("notes")::add);
    return document;
  }
}
