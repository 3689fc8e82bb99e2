package dev.haq.agent.search;

import dev.haq.model.BitChoices;
import dev.haq.model.BitWidth;
import dev.haq.model.CostTable;
import dev.haq.model.HaqException;
import dev.haq.model.LayerBits;
import dev.haq.model.Operand;
import dev.haq.model.Policy;
import dev.haq.model.Reason;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.function.Function;

/**
 * The bit-widths a search is free to choose, in the order in which it chooses them: layer by layer,
 * weights before activations (paper, 3.1). For model size there are only weights, and activations
 * stay float (paper, 3.4). Pinned bit-widths are not among them.
 */
public final class Decisions {
  private final List<Decision> free;
  private final ActionSpace weights;
  private final ActionSpace activations;
  private final Policy pinned;

  /**
   * @throws HaqException {@link Reason#INVALID_BITS} when the table lacks a width to choose from,
   *     {@link Reason#INVALID_ARGUMENT} when nothing is left to decide
   */
  public Decisions(SearchSettings settings) {
    boolean weightsOnly = settings.weightsOnly();
    BitChoices weightTable = choices(settings, CostTable::weightBits);
    BitChoices activationTable = choices(settings, CostTable::activationBits);
    weights = new ActionSpace(covered(settings.weightBits(), weightTable, "weight"));
    activations =
        new ActionSpace(
            weightsOnly
                ? new BitChoices(List.of(settings.activationBits().max())) // nothing to choose
                : covered(settings.activationBits(), activationTable, "activation"));
    int layers = settings.network().size();
    pinned =
        Policy.uniform(
            layers,
            new LayerBits(
                pinned(weightTable), weightsOnly ? BitWidth.FLOAT : pinned(activationTable)));
    List<Decision> decisions = new ArrayList<>();
    for (int layer = 0; layer < layers; layer++) {
      boolean edge = layer == 0 || layer == layers - 1;
      boolean free = settings.pinning() == Pinning.IMAGE || !edge;
      if (free) {
        decisions.add(new Decision(layer, Operand.WEIGHTS));
      }
      boolean image = layer == 0;
      if (free && !image && !weightsOnly) {
        decisions.add(new Decision(layer, Operand.ACTIVATIONS));
      }
    }
    if (decisions.isEmpty()) {
      throw HaqException.invalid(
          "network %s has %d layers and the first and the last are kept at 8 bits: nothing is left to search; search the first and last layers too",
          settings.network().name(), layers);
    }
    free = List.copyOf(decisions);
  }

  /** How many decisions an episode has. */
  public int size() {
    return free.size();
  }

  public Decision get(int step) {
    return free.get(step);
  }

  /** What a layer may be given, narrow widths first; its pinned widths where nothing is free. */
  public List<LayerBits> widths(int layer) {
    List<LayerBits> widths = List.of(pinned.get(layer));
    for (Decision decision : free) {
      if (decision.layer() == layer) {
        widths =
            widths.stream()
                .flatMap(
                    bits ->
                        choices(decision).bits().stream()
                            .map(width -> bits.with(decision.operand(), BitWidth.of(width))))
                .toList();
      }
    }
    return widths;
  }

  /** The widths that may be chosen. */
  public BitChoices choices(Decision decision) {
    return actions(decision.operand()).choices();
  }

  /** How an action becomes a width of this operand. */
  public ActionSpace actions(Operand operand) {
    return operand == Operand.WEIGHTS ? weights : activations;
  }

  /** The policy that an episode's actions propose, before its budget is looked at. */
  public Policy policy(List<Double> actions) {
    Policy policy = pinned;
    for (int step = 0; step < size(); step++) {
      Decision decision = get(step);
      policy = with(policy, decision, actions(decision.operand()).bits(actions.get(step)));
    }
    return policy;
  }

  /** The policy with the same action at every decision. */
  public Policy uniform(double action) {
    return policy(Collections.nCopies(size(), action));
  }

  /** The actions that propose the free bit-widths of {@code policy}, one a decision. */
  public List<Double> actions(Policy policy) {
    List<Double> actions = new ArrayList<>();
    for (Decision decision : free) {
      actions.add(actions(decision.operand()).action(decision.of(policy)));
    }
    return actions;
  }

  /**
   * Whether an episode may come to this policy: its pinned widths are the pinned ones, the others
   * among those to choose from.
   */
  public boolean canReach(Policy policy) {
    Policy reached = pinned;
    for (Decision decision : free) {
      BitWidth width = decision.of(policy);
      if (!choices(decision).contains(width)) {
        return false;
      }
      reached = with(reached, decision, width);
    }
    return reached.equals(policy);
  }

  /** {@code policy} with one width changed. */
  public static Policy with(Policy policy, Decision decision, BitWidth width) {
    LayerBits bits = policy.get(decision.layer()).with(decision.operand(), width);
    return policy.with(decision.layer(), bits);
  }

  /** The widths that every cost table has. */
  private static BitChoices choices(
      SearchSettings settings, Function<CostTable, BitChoices> ofTable) {
    return settings.budgets().stream()
        .map(budget -> ofTable.apply(budget.table()))
        .reduce(BitChoices::intersect)
        .orElseThrow();
  }

  private static BitWidth pinned(BitChoices table) {
    return BudgetLimit.eightOrWidest(table.intersect(SearchSettings.JUDGED));
  }

  private static BitChoices covered(BitChoices wanted, BitChoices table, String operand) {
    for (int bits : wanted.bits()) {
      if (!table.contains(BitWidth.of(bits))) {
        throw new HaqException(
            Reason.INVALID_BITS,
            "%s bits %d: the target knows only %s; choose among these"
                .formatted(operand, bits, table));
      }
    }
    return wanted;
  }
}
