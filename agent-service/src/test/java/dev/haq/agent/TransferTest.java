package dev.haq.agent;

import static dev.haq.agent.TestClient.refused;
import static dev.haq.agent.TestClient.spec;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.haq.model.Reason;
import dev.haq.proto.agent.v1.GetTransferRequest;
import dev.haq.proto.agent.v1.Session;
import dev.haq.proto.agent.v1.SessionSpec;
import dev.haq.proto.agent.v1.SessionState;
import dev.haq.proto.agent.v1.Transfer;
import dev.haq.proto.agent.v1.TransferCell;
import dev.haq.proto.agent.v1.TransferRow;
import dev.haq.proto.hwsim.v1.TargetRef;
import dev.haq.proto.model.v1.Budget;
import dev.haq.proto.model.v1.Resource;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Sessions' best policies on one another's targets, over real gRPC. */
final class TransferTest {
  @RegisterExtension static final AgentFixture fixture = new AgentFixture();

  private static TestClient client;

  @BeforeAll
  static void start() {
    client = fixture.client();
  }

  @Test
  void transferComparesEveryPolicyOnEveryTarget() {
    Session half = succeeded(spec(8));
    Session size = succeeded(spec(8).setBudget(budget(Resource.MODEL_SIZE, 0.23)));
    Session seventy = succeeded(spec(8).setBudget(budget(Resource.LATENCY, 0.7)));
    Transfer transfer = transfer(half, seventy);
    for (int row = 0; row < 2; row++) {
      TransferRow own = transfer.getRows(row);
      assertEquals(0, own.getCells(row).getRegret());
      assertTrue(own.getCells(row).getWithinBudget());
      assertEquals(
          own.getCells(0).getCost(), own.getCells(1).getCost(), "one target, one resource");
    }
    double regret =
        transfer.getRows(1).getCells(0).getCost() / transfer.getRows(0).getCells(0).getCost() - 1;
    assertEquals(regret, transfer.getRows(1).getCells(0).getRegret(), 1e-12);
    assertEquals(0, transfer.getMinMaxRegret(), "the cheaper policy costs less on both");
    refused(Reason.INVALID_ARGUMENT, () -> transfer(size));
    refused(Reason.INVALID_ARGUMENT, () -> transfer(size, size));
  }

  @Test
  void aPolicyThatBreaksAnyBudgetOfATargetIsNotWithinIt() {
    Session small =
        succeeded(
            spec(8)
                .setBudget(budget(Resource.LATENCY, 1))
                .addFurtherBudgets(budget(Resource.MODEL_SIZE, 0.22)));
    Session eight = succeeded(spec(8).setAgent("uniform").setBudget(budget(Resource.LATENCY, 1)));
    Transfer transfer = transfer(eight, small);
    TransferCell large = transfer.getRows(0).getCells(1);
    assertTrue(large.getCostRatio() <= 1, "it is within the first budget");
    assertFalse(large.getWithinBudget(), "its size is a quarter of the float model's");
    assertTrue(transfer.getRows(1).getCellsList().stream().allMatch(c -> c.getWithinBudget()));
    assertEquals(1, transfer.getMinMaxRegretWithinBudgets());
  }

  @Test
  void theCheapestRowNeedNotBeTheOneWithinAllBudgets() {
    Session fast = succeeded(spec(8).setBudget(budget(Resource.LATENCY, 0.25)));
    Session small =
        succeeded(
            spec(8)
                .setBudget(budget(Resource.LATENCY, 0.9))
                .addFurtherBudgets(budget(Resource.MODEL_SIZE, 0.2125)));
    Transfer transfer = transfer(fast, small);
    assertFalse(transfer.getRows(0).getCells(1).getWithinBudget(), "too large");
    assertFalse(transfer.getRows(1).getCells(0).getWithinBudget(), "too slow");
    assertEquals(0, transfer.getMinMaxRegret());
    assertFalse(transfer.hasMinMaxRegretWithinBudgets());
  }

  @Test
  void aTargetThatLacksAPolicysWidthsLeavesItsCellEmpty() {
    Session size = succeeded(spec(8).setBudget(budget(Resource.MODEL_SIZE, 0.23)));
    Session fast = succeeded(spec(8));
    Transfer transfer = transfer(size, fast);
    TransferRow floats = transfer.getRows(0);
    assertFalse(floats.getCells(0).getCannotRun());
    assertEquals(
        TransferCell.newBuilder().setCannotRun(true).build(),
        floats.getCells(1),
        "float activations have no latency");
    assertEquals(0, floats.getMaxRegret());
    assertTrue(
        transfer.getRows(1).getCellsList().stream()
            .noneMatch(c -> c.getCannotRun() || c.getCost() == 0));
    assertEquals(1, transfer.getMinMaxRegret(), "the other row runs on both");
  }

  @Test
  void whereNoPolicyRunsEverywhereNoRowIsNamed() {
    Transfer transfer = transfer(succeeded(on("even")), succeeded(on("odd")));
    assertEquals(
        List.of(false, true, true, false),
        transfer.getRowsList().stream()
            .flatMap(row -> row.getCellsList().stream())
            .map(TransferCell::getCannotRun)
            .toList());
    assertFalse(transfer.hasMinMaxRegret());
    assertFalse(transfer.hasMinMaxRegretWithinBudgets());
  }

  private static SessionSpec.Builder on(String target) {
    return spec(4)
        .setTarget(TargetRef.newBuilder().setName(target))
        .setBudget(budget(Resource.LATENCY, 0.7));
  }

  private static Budget budget(Resource resource, double ratio) {
    return Budget.newBuilder().setResource(resource).setRatio(ratio).build();
  }

  private static Transfer transfer(Session... sessions) {
    return client
        .stub()
        .getTransfer(
            GetTransferRequest.newBuilder()
                .addAllSessionIds(Stream.of(sessions).map(Session::getId).toList())
                .build());
  }

  private static Session succeeded(SessionSpec.Builder spec) {
    Session session = client.awaitEnd(client.create(spec).getId());
    assertEquals(SessionState.SUCCEEDED, session.getState(), session.getError());
    return session;
  }
}
