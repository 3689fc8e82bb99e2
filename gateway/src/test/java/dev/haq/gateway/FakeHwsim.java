package dev.haq.gateway;

import dev.haq.model.HaqException;
import dev.haq.model.Reason;
import dev.haq.proto.hwsim.v1.BuildCostTableResponse;
import dev.haq.proto.hwsim.v1.HardwareSimulatorGrpcService;
import dev.haq.proto.hwsim.v1.ListTargetsResponse;
import dev.haq.proto.hwsim.v1.SimulateResponse;
import dev.haq.proto.hwsim.v1.Target;
import dev.haq.proto.model.v1.Cost;
import dev.haq.proto.model.v1.CostTable;
import dev.haq.rpc.RpcService;
import java.util.Collections;

/** A hardware simulator with one target, whose costs are what the request says. */
final class FakeHwsim {
  private static final Target EDGE =
      Target.newBuilder().setName("bismo-edge").setBatch(1).setClockHz(1e8).build();

  /** The name of a network whose cost table has two million cells. */
  static final String VAST = "vast";

  RpcService service() {
    return RpcService.named(
            HardwareSimulatorGrpcService.SERVICE_NAME,
            HardwareSimulatorGrpcService.SERVICE_DESCRIPTOR)
        .unary(
            HardwareSimulatorGrpcService.ListTargets,
            (request, call) -> ListTargetsResponse.newBuilder().addTargets(EDGE).build())
        .unary(
            HardwareSimulatorGrpcService.GetTarget,
            (request, call) ->
                find(request.hasTarget() ? request.getTarget().getName() : request.getName()))
        .unary(
            HardwareSimulatorGrpcService.Simulate,
            (request, call) ->
                SimulateResponse.newBuilder()
                    .setTotal(
                        Cost.newBuilder().setCycles(request.getNetwork().getLayersCount()).build())
                    .setBatch(find(request.getTarget().getName()).getBatch())
                    .build())
        .unary(
            HardwareSimulatorGrpcService.BuildCostTable,
            (request, call) ->
                BuildCostTableResponse.newBuilder()
                    .setTable(
                        CostTable.newBuilder()
                            .setResource(request.getResource())
                            .addAllValues(
                                Collections.nCopies(
                                    request.getNetwork().getName().equals(VAST) ? 2_000_000 : 0,
                                    Math.PI)))
                    .build());
  }

  private static Target find(String name) {
    if (!name.equals(EDGE.getName())) {
      throw new HaqException(Reason.UNKNOWN_TARGET, "there is no target '" + name + "'");
    }
    return EDGE;
  }
}
