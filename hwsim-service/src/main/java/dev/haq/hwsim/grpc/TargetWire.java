package dev.haq.hwsim.grpc;

import com.google.common.primitives.Doubles;
import dev.haq.hwsim.accelerator.Accelerator;
import dev.haq.hwsim.cost.CostModel;
import dev.haq.hwsim.cost.LookupTable;
import dev.haq.hwsim.cost.LookupTableCostModel;
import dev.haq.model.BitChoices;
import dev.haq.model.HaqException;
import dev.haq.proto.hwsim.v1.Target;
import dev.haq.wire.BitsWire;
import dev.haq.wire.CostWire;

/** Accelerators to messages, and look-up tables from them. */
final class TargetWire {
  private TargetWire() {}

  static Target toProto(Accelerator accelerator) {
    return Target.newBuilder()
        .setName(accelerator.name())
        .setDescription(accelerator.description())
        .setSource(accelerator.source())
        .addAllResources(accelerator.resources().stream().map(CostWire::toProto).toList())
        .setWeightBits(BitsWire.toProto(new BitChoices(accelerator.weightBits())))
        .setActivationBits(BitsWire.toProto(new BitChoices(accelerator.activationBits())))
        .setBatch(accelerator.batch())
        .setClockHz(accelerator.clockHz())
        .setCalibrated(accelerator.calibrated())
        .build();
  }

  /**
   * A measured table as a cost model.
   *
   * @param batch what the request asks for: 0, or the batch the table was measured at
   */
  static CostModel lookupTable(dev.haq.proto.hwsim.v1.LookupTable message, int batch) {
    int measured = message.getBatch() == 0 ? 1 : message.getBatch();
    if (batch != 0 && batch != measured) {
      throw HaqException.invalid(
          "target.batch is %d, but lookup_table was measured at a batch of %d: leave batch out",
          batch, measured);
    }
    return new LookupTableCostModel(
        new LookupTable(
            message.getName(),
            CostWire.fromProto(message.getResource()),
            BitsWire.fromProto(message.getWeightBits()),
            BitsWire.fromProto(message.getActivationBits()),
            message.getLayers(),
            message.getLayerNamesList(),
            Doubles.toArray(message.getValuesList()),
            clockHz(message),
            measured));
  }

  private static double clockHz(dev.haq.proto.hwsim.v1.LookupTable message) {
    boolean given = message.getClockHz() != 0;
    return switch (message.getUnit()) {
      case SI -> {
        if (given) {
          throw HaqException.invalid(
              "lookup_table.clock_hz is given, but its unit is SI: leave clock_hz out, or set unit to CYCLES");
        }
        yield 0;
      }
      case CYCLES -> {
        if (!given) {
          throw HaqException.invalid(
              "lookup_table.clock_hz is missing: a table in CYCLES needs it");
        }
        yield message.getClockHz();
      }
      case UNRECOGNIZED ->
          throw HaqException.invalid("lookup_table.unit %d is not known", message.getUnitValue());
    };
  }
}
