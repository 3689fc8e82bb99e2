package dev.haq.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.haq.model.Resource;
import dev.haq.proto.hwsim.v1.BuildCostTableRequest;
import dev.haq.proto.hwsim.v1.BuildCostTableResponse;
import dev.haq.proto.quantizer.v1.Model;
import dev.haq.wire.CostWire;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** The cost of every layer at every pair of bit-widths, as a file. */
@Command(
    name = "table",
    description =
        "Writes a model's cost table on a target, in the published layout, as CSV or as JSON.",
    mixinStandardHelpOptions = true)
final class TableCommand implements Callable<Integer> {
  @Mixin private CommonOptions common;
  @Mixin private ModelOption model;
  @Mixin private TargetOptions target;
  @Mixin private CodebookOption codebooks;

  @Option(
      names = "--resource",
      paramLabel = "R",
      defaultValue = "latency",
      description = "latency (the default), energy or size.")
  private String resource;

  @Option(
      names = "--out",
      required = true,
      paramLabel = "FILE",
      description =
          "A .npy file [layer][w-1][a-1]: int64 cycles, or float64 seconds where they are not whole; or .csv, or .json.")
  private Path out;

  @Override
  public Integer call() {
    Terminal terminal = common.terminal();
    Resource wanted = ResourceOption.parse("--resource", resource);
    if (!TableFile.canWrite(out.toString())) {
      throw dev.haq.model.HaqException.invalid(
          "--out %s: the name must end with .npy, .csv or .json", out);
    }
    OutFile.check(out);
    try (Connection connection = Connection.open(common)) {
      GatewayClient client = connection.client();
      TargetOptions.Resolved resolved = target.resolve(client, wanted);
      Model known = model.resolve(client, common.terminal());
      BuildCostTableResponse answer =
          client.costTable(
              BuildCostTableRequest.newBuilder()
                  .setTarget(resolved.ref())
                  .setNetwork(known.getNetwork())
                  .setResource(CostWire.toProto(wanted))
                  .setCountCodebooks(codebooks.counted())
                  .build());
      TableFile.Written written = TableFile.write(out, answer.getTable());
      double fixed = answer.getTable().getFixed();
      int batch = answer.getTable().getBatch();
      if (fixed > 0) {
        terminal.note(
            "every policy costs %s bytes more, of parameters outside the layers: %s"
                .formatted(
                    Figures.fixed(fixed, 0),
                    written.type().equals("text")
                        ? "the file says so too"
                        : "a .npy file cannot say so"));
      }
      if (terminal.json()) {
        ObjectNode document =
            Json.object()
                .put("model", known.getId())
                .put("target", resolved.name())
                .put("file", out.toString());
        ArrayNode shape = document.putArray("shape");
        written.shape().forEach(shape::add);
        document.put("type", written.type()).put("unit", written.unit());
        document.put("fixed", fixed);
        if (batch > 0) {
          document.put("batch", batch);
        }
        document.put("extrapolated", answer.getTable().getExtrapolated());
        document.put("seconds", answer.getSeconds());
        terminal.document(document);
      } else {
        terminal.line(
            "wrote %s: %s %s, %s of %s on %s%s; %s s inside the service%s",
            out,
            written.type(),
            written.shape(),
            written.unit(),
            known.getName(),
            resolved.name(),
            batch(batch, written),
            Figures.fixed(answer.getSeconds(), 3),
            answer.getTable().getExtrapolated() ? Figures.EXTRAPOLATED : "");
      }
      return Haq.DONE;
    }
  }

  /**
   * @param batch 0 where none is known, or none matters
   */
  private static String batch(int batch, TableFile.Written written) {
    if (batch == 0) {
      return "";
    }
    boolean silent = batch > 1 && !written.type().equals("text"); // read as a batch of one
    return ", batch %d%s"
        .formatted(
            batch,
            silent ? " (a .npy file cannot say so: read it with --table-batch " + batch + ")" : "");
  }
}
