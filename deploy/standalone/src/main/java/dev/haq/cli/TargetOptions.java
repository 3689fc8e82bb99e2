package dev.haq.cli;

import dev.haq.model.Resource;
import dev.haq.proto.hwsim.v1.TargetRef;
import dev.haq.proto.model.v1.BitChoices;
import picocli.CommandLine.Option;

/** The hardware that a command is about. */
final class TargetOptions {
  @Option(
      names = "--target",
      required = true,
      paramLabel = "TARGET",
      description = "A name of 'haq targets', or a .npy file of measured costs [layer][w-1][a-1].")
  private String target;

  @Option(
      names = "--batch",
      paramLabel = "B",
      description = "Images in a batch; the target's own by default.")
  private int batch;

  @Option(
      names = "--clock-hz",
      paramLabel = "HZ",
      description = "With a .npy target: its cells are cycles of this clock; seconds otherwise.")
  private double clockHz;

  @Option(
      names = "--table-batch",
      paramLabel = "B",
      description = "With a .npy target: images in the measured batch; 1 by default.")
  private int tableBatch;

  /** A target and the bit-widths it can run. */
  record Resolved(TargetRef ref, String name, BitChoices weightBits, BitChoices activationBits) {}

  /**
   * @param resource what a measured table's cells are
   */
  TargetRef ref(Resource resource) {
    if (batch < 0 || tableBatch < 0) {
      throw dev.haq.model.HaqException.invalid("--batch and --table-batch must not be negative");
    }
    TargetRef.Builder ref = TargetRef.newBuilder().setBatch(batch);
    return TableFile.is(target)
        ? ref.setLookupTable(TableFile.read(target, resource, clockHz, tableBatch)).build()
        : ref.setName(target).build();
  }

  /** Looks the target up, so that an unknown one is refused at once. */
  Resolved resolve(GatewayClient client, Resource resource) {
    return resolve(client, ref(resource));
  }

  static Resolved resolve(GatewayClient client, TargetRef ref) {
    if (ref.hasLookupTable()) {
      var table = ref.getLookupTable();
      return new Resolved(ref, table.getName(), table.getWeightBits(), table.getActivationBits());
    }
    var known = client.target(ref.getName());
    return new Resolved(ref, known.getName(), known.getWeightBits(), known.getActivationBits());
  }
}
