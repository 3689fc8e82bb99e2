package dev.haq.agent.search;

import dev.haq.model.BitChoices;
import dev.haq.model.BitWidth;
import dev.haq.model.CostTable;
import dev.haq.model.HaqException;
import dev.haq.model.LayerBits;
import dev.haq.model.Operand;
import dev.haq.model.Policy;
import dev.haq.model.Reason;
import java.util.Collections;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Stream;

/**
 * The bit-widths a search is free to choose, in the order in which it chooses them: layer by layer,
 * weights before activations (paper, 3.1). For model size there are only weights, and activations
 * stay float (paper, 3.4). Pinned bit-widths are not among them, nor operands with one width to
 * choose from. A layer may have widths of its own to choose from ({@link LayerWidths}).
 */
public final class Decisions {
  private final Map<Decision, ActionSpace> actions; // of those that are free, in their order
  private final List<Decision> free;
  private final Map<Operand, BitChoices> choices; // that any layer may be given
  private final Policy pinned;

  /**
   * @throws HaqException {@link Reason#INVALID_BITS} when the table lacks a width to choose from,
   *     {@link Reason#INVALID_ARGUMENT} when nothing is left to decide, or a layer is excepted that
   *     cannot be
   */
  public Decisions(SearchSettings settings) {
    boolean weightsOnly = settings.weightsOnly();
    Map<Operand, BitChoices> table =
        Map.of(
            Operand.WEIGHTS, choices(settings, CostTable::weightBits),
            Operand.ACTIVATIONS, choices(settings, CostTable::activationBits));
    Map<Operand, BitChoices> usual =
        Map.of(
            Operand.WEIGHTS,
            covered(settings.weightBits(), table, Operand.WEIGHTS),
            Operand.ACTIVATIONS,
            weightsOnly
                ? new BitChoices(List.of(settings.activationBits().max())) // nothing to choose
                : covered(settings.activationBits(), table, Operand.ACTIVATIONS));
    int layers = settings.network().size();
    Policy fixed =
        Policy.uniform(
            layers,
            new LayerBits(
                pinned(table.get(Operand.WEIGHTS)),
                weightsOnly ? BitWidth.FLOAT : pinned(table.get(Operand.ACTIVATIONS))));
    actions = new LinkedHashMap<>();
    for (int layer = 0; layer < layers; layer++) {
      boolean edge = layer == 0 || layer == layers - 1;
      boolean searched = settings.pinning() == Pinning.IMAGE || !edge;
      Optional<LayerWidths> exception = settings.layerWidths(layer);
      for (Operand operand : Operand.values()) {
        boolean never = operand == Operand.ACTIVATIONS && (layer == 0 || weightsOnly);
        Decision decision = new Decision(layer, operand);
        Optional<BitChoices> own = exception.flatMap(e -> e.of(operand));
        BitWidth kept = decision.of(fixed);
        if (never && own.isPresent() && own.get().bits().equals(List.of(kept.bits()))) {
          continue; // it is named with what it has anyway
        }
        if (own.isPresent()) {
          checkMayBeExcepted(exception.get(), never, kept);
        } else if (never || !searched) {
          continue;
        }
        BitChoices widths =
            own.map(given -> covered(given, table, operand)).orElseGet(() -> usual.get(operand));
        if (widths.size() == 1) {
          fixed = with(fixed, decision, BitWidth.of(widths.max()));
        } else {
          actions.put(decision, new ActionSpace(widths));
        }
      }
    }
    if (actions.isEmpty()) {
      throw HaqException.invalid(
          "network %s has %d layers, and all are kept at one width, the first and the last at 8 bits unless they are searched: nothing is left to search; give more widths to choose from, or search the first and last layers too",
          settings.network().name(), layers);
    }
    pinned = fixed;
    free = List.copyOf(actions.keySet());
    choices = new EnumMap<>(Operand.class);
    for (Operand operand : Operand.values()) {
      Stream<Integer> widths =
          free.stream()
              .filter(decision -> decision.operand() == operand)
              .flatMap(decision -> choices(decision).bits().stream());
      Stream<Integer> all = Stream.concat(widths, usual.get(operand).bits().stream());
      choices.put(operand, new BitChoices(all.distinct().sorted().toList()));
    }
  }

  /**
   * @param kept the width that it stays at where it may not be excepted
   */
  private static void checkMayBeExcepted(LayerWidths exception, boolean never, BitWidth kept) {
    if (never) {
      throw HaqException.invalid(
          "layer_widths: the activations of layer '%s' %s: give widths for its weights alone",
          exception.layer(),
          kept.isFloat()
              ? "stay float, since only the model's size is limited"
              : "are the image, which stays at " + kept + " bits");
    }
  }

  /** How many decisions an episode has. */
  public int size() {
    return free.size();
  }

  /** How many layers the network has. */
  int layers() {
    return pinned.size();
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
    return actions.get(decision).choices();
  }

  /** The widths that may be chosen for this operand in any layer. */
  public BitChoices choices(Operand operand) {
    return choices.get(operand);
  }

  /** The policy that an episode's actions propose, before its budget is looked at. */
  public Policy policy(List<Double> actions) {
    Policy policy = pinned;
    for (int step = 0; step < size(); step++) {
      Decision decision = get(step);
      policy = with(policy, decision, this.actions.get(decision).bits(actions.get(step)));
    }
    return policy;
  }

  /** The policy with the same action at every decision. */
  public Policy uniform(double action) {
    return policy(Collections.nCopies(size(), action));
  }

  /** The actions that propose the free bit-widths of {@code policy}, one a decision. */
  public List<Double> actions(Policy policy) {
    return free.stream()
        .map(decision -> actions.get(decision).action(decision.of(policy)))
        .toList();
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

  private static BitChoices covered(
      BitChoices wanted, Map<Operand, BitChoices> table, Operand operand) {
    for (int bits : wanted.bits()) {
      if (!table.get(operand).contains(BitWidth.of(bits))) {
        throw new HaqException(
            Reason.INVALID_BITS,
            "%s bits %d: the target knows only %s; choose among these"
                .formatted(
                    operand == Operand.WEIGHTS ? "weight" : "activation",
                    bits,
                    table.get(operand)));
      }
    }
    return wanted;
  }
}
