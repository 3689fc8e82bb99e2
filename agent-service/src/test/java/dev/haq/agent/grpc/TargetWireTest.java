package dev.haq.agent.grpc;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.haq.agent.session.SessionSpec;
import dev.haq.proto.agent.v1.FurtherTarget;
import dev.haq.proto.hwsim.v1.LookupTable;
import dev.haq.proto.hwsim.v1.TargetRef;
import dev.haq.proto.model.v1.Budget;
import dev.haq.proto.model.v1.DataSelection;
import dev.haq.proto.model.v1.Resource;
import java.util.List;
import org.junit.jupiter.api.Test;

final class TargetWireTest {
  @Test
  void targetsWithoutNamesAreCalledWhatTheyAre() {
    List<SessionSpec.Target> targets =
        TargetWire.fromProto(
            spec(
                TargetRef.newBuilder().setLookupTable(LookupTable.getDefaultInstance()).build(),
                TargetRef.newBuilder()
                    .setLookupTable(LookupTable.newBuilder().setName(" "))
                    .build(),
                TargetRef.newBuilder().setAccelerator("frequency: 1").build()));
    assertEquals(
        List.of("lookup table", "lookup table-2", "described accelerator"),
        targets.stream().map(target -> target.handle().name()).toList());
  }

  @Test
  void aSpecificationIsReadAsItWasWritten() {
    SpecWire specs = new SpecWire();
    TargetRef named = TargetRef.newBuilder().setName("edge").build();
    TargetRef described = TargetRef.newBuilder().setAccelerator("name: mine").build();
    SessionSpec spec = SpecWire.fromProto(spec(named, described));
    assertEquals(spec, specs.decode(specs.encode(spec)));
    assertEquals(spec.hashCode(), specs.decode(specs.encode(spec)).hashCode());
  }

  private static dev.haq.proto.agent.v1.SessionSpec spec(TargetRef first, TargetRef... further) {
    dev.haq.proto.agent.v1.SessionSpec.Builder spec =
        dev.haq.proto.agent.v1.SessionSpec.newBuilder()
            .setModel("model")
            .setData(DataSelection.newBuilder().setDataset("images"))
            .setTarget(first)
            .setBudget(Budget.newBuilder().setResource(Resource.LATENCY).setRatio(0.5));
    for (TargetRef target : further) {
      spec.addFurtherTargets(FurtherTarget.newBuilder().setTarget(target));
    }
    return spec.build();
  }
}
