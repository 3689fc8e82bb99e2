package dev.haq.agent.grpc;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import com.google.protobuf.InvalidProtocolBufferException;
import dev.haq.agent.session.Fleet;
import dev.haq.agent.session.SessionSpec;
import dev.haq.agent.session.TargetHandle;
import dev.haq.model.Budget;
import dev.haq.model.HaqException;
import dev.haq.model.Resource;
import dev.haq.proto.agent.v1.FurtherTarget;
import dev.haq.proto.hwsim.v1.TargetRef;
import dev.haq.wire.CostWire;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** A session's targets and budgets as messages. */
final class TargetWire {
  private static final ObjectMapper YAML = new YAMLMapper();
  private static final String DESCRIBED = "described accelerator";
  private static final String TABLE = "lookup table";

  private TargetWire() {}

  static TargetRef toProto(TargetHandle handle) {
    try {
      return TargetRef.parseFrom(handle.encoded());
    } catch (InvalidProtocolBufferException e) {
      throw new IllegalStateException("target " + handle.name() + " cannot be read", e);
    }
  }

  static FurtherTarget toProto(SessionSpec.Target target) {
    FurtherTarget.Builder message = FurtherTarget.newBuilder().setTarget(toProto(target.handle()));
    target.budgets().forEach(budget -> message.addBudgets(CostWire.toProto(budget)));
    return message.build();
  }

  /** The specification with the measured tables' names and shapes alone. */
  static dev.haq.proto.agent.v1.SessionSpec withoutValues(
      dev.haq.proto.agent.v1.SessionSpec message) {
    dev.haq.proto.agent.v1.SessionSpec.Builder brief = message.toBuilder();
    if (message.getTarget().hasLookupTable()) {
      brief.getTargetBuilder().getLookupTableBuilder().clearValues();
    }
    for (FurtherTarget.Builder further : brief.getFurtherTargetsBuilderList()) {
      if (further.getTarget().hasLookupTable()) {
        further.getTargetBuilder().getLookupTableBuilder().clearValues();
      }
    }
    return brief.build();
  }

  /** All targets of a session, its own first. */
  static List<SessionSpec.Target> fromProto(dev.haq.proto.agent.v1.SessionSpec message) {
    List<Budget> budgets = new ArrayList<>();
    budgets.add(SpecWire.field("spec.budget", () -> CostWire.fromProto(message.getBudget())));
    for (dev.haq.proto.model.v1.Budget further : message.getFurtherBudgetsList()) {
      budgets.add(SpecWire.field("spec.further_budgets", () -> CostWire.fromProto(further)));
    }
    Set<String> names = new HashSet<>(Set.of(Fleet.NAME));
    List<SessionSpec.Target> targets = new ArrayList<>();
    targets.add(new SessionSpec.Target(handle("spec.target", message.getTarget(), names), budgets));
    for (FurtherTarget further : message.getFurtherTargetsList()) {
      String field = "spec.further_targets[%d]".formatted(targets.size() - 1);
      TargetHandle handle = handle(field + ".target", further.getTarget(), names);
      targets.add(
          new SessionSpec.Target(
              handle,
              further.getBudgetsCount() == 0
                  ? inherited(handle, budgets)
                  : further.getBudgetsList().stream()
                      .map(b -> SpecWire.field(field + ".budgets", () -> CostWire.fromProto(b)))
                      .toList()));
    }
    return targets;
  }

  /** The session's own budgets mean something on another target where they are shares. */
  private static List<Budget> inherited(TargetHandle handle, List<Budget> budgets) {
    for (Budget budget : budgets) {
      if (budget.kind() == Budget.Kind.ABSOLUTE && budget.resource() != Resource.MODEL_SIZE) {
        throw HaqException.invalid(
            "spec.further_targets: %s has no budgets, and the session's is an amount of %s on another target: give it budgets of its own",
            handle.name(), budget.resource());
      }
    }
    return budgets;
  }

  private static TargetHandle handle(String field, TargetRef message, Set<String> names) {
    String name =
        switch (message.getTargetCase()) {
          case NAME -> message.getName();
          case LOOKUP_TABLE -> named(message.getLookupTable().getName(), TABLE);
          case ACCELERATOR -> described(message.getAccelerator());
          case TARGET_NOT_SET ->
              throw HaqException.invalid(
                  "%s is missing: give a name, a lookup_table or an accelerator", field);
        };
    String unlike = name;
    for (int i = 2; !names.add(unlike); i++) {
      unlike = name + "-" + i;
    }
    return new TargetHandle(unlike, message.toByteArray());
  }

  private static String named(String name, String unnamed) {
    return name.isBlank() ? unnamed : name;
  }

  /** What a description calls itself; the simulator says what is wrong with it. */
  private static String described(String accelerator) {
    try {
      return named(YAML.readTree(accelerator).path("name").asText(""), DESCRIBED);
    } catch (JsonProcessingException e) {
      return DESCRIBED;
    }
  }
}
