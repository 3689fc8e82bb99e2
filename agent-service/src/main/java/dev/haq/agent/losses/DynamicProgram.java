package dev.haq.agent.losses;

import dev.haq.agent.search.Decision;
import dev.haq.agent.search.DecisionLoss;
import dev.haq.agent.search.Decisions;
import dev.haq.agent.search.ResourceBudget;
import dev.haq.agent.search.SearchSpace;
import dev.haq.model.BitWidth;
import dev.haq.model.LayerBits;
import dev.haq.model.Policy;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;

/**
 * The policies of least loss for every cost, where losses and costs of layers add up: the
 * multiple-choice knapsack problem, by dynamic programming (Sinha, Zoltners: The multiple-choice
 * knapsack problem, Operations Research 27, 1979; Kellerer, Pferschy, Pisinger: Knapsack problems,
 * 2004, 11.5).
 *
 * <p>Layer by layer it keeps the partial policies that no other beats in both cost and loss, with
 * their exact costs. To bound their number the cost axis, from the cheapest policy to the budget,
 * is cut into cells, and a cell keeps the one of least loss. That gives away at most one cell of
 * cost a layer: whatever policy within the budget there is, one found has no more loss and costs at
 * most {@link #slack} more. {@link #bound} says what this leaves open. Widths with which a layer
 * breaks the budget whatever the others have, such as those that a device emulates a thousand times
 * slower, do not count.
 *
 * <p>Costs are shares of the budgets: a policy costs 1 when it uses its budget up. With several
 * budgets the cost is a weighted mean of the shares: what meets all budgets costs at most 1, but
 * not the other way round. {@link BudgetedProgram} is for these.
 */
public final class DynamicProgram {
  /** Cells of the cost axis that leave about a permille open for a network of 50 layers. */
  public static final int FINE = 1 << 15;

  /** Enough where the losses are guesses anyway. */
  public static final int COARSE = 1 << 11;

  /** Of all layers: 6 bytes each. Networks of more than a thousand layers have fewer a layer. */
  private static final int MOST_CELLS = 1 << 25;

  static final int NONE = -1;

  /** What a layer may be given. */
  private record Choice(LayerBits bits, double cost, double loss) {}

  /** Partial policies of one layer more: where each came from. */
  private record Stage(List<Choice> choices, int[] before, short[] chosen) {}

  private final SearchSpace space;
  private final double[] weights; // of the budgets' shares, adding up to 1
  private final List<Stage> stages = new ArrayList<>();
  private final double slack;
  private double[] costs; // ascending
  private double[] losses; // descending

  private DynamicProgram(SearchSpace space, DecisionLoss loss, double[] weights, int wanted) {
    this.space = space;
    this.weights = weights;
    List<List<Choice>> layers = layers(loss);
    int cells = Math.min(wanted, MOST_CELLS / layers.size());
    double cheapest = fixedCost();
    double span = 0;
    for (List<Choice> layer : layers) {
      cheapest += layer.get(0).cost();
      span += layer.get(layer.size() - 1).cost() - layer.get(0).cost();
    }
    span = Math.max(Math.min(span, 1 - cheapest), Double.MIN_NORMAL);
    slack = span / cells * layers.size();
    costs = new double[] {0};
    losses = new double[] {0};
    for (List<Choice> layer : layers) {
      extend(layer, span / cells, cells + layers.size());
    }
    for (int i = 0; i < costs.length; i++) {
      costs[i] += cheapest;
    }
  }

  /**
   * @param weights of the budgets, at least 0, adding up to 1
   */
  static DynamicProgram weighted(
      SearchSpace space, DecisionLoss loss, double[] weights, int cells) {
    return new DynamicProgram(space, loss, weights.clone(), cells);
  }

  private List<List<Choice>> layers(DecisionLoss loss) {
    Decisions decisions = space.decisions();
    Policy pinned = decisions.uniform(0);
    List<List<Choice>> layers = new ArrayList<>();
    for (int layer = 0; layer < pinned.size(); layer++) {
      layers.add(List.of(choice(layer, pinned.get(layer), 0)));
    }
    for (int step = 0; step < decisions.size(); step++) {
      Decision decision = decisions.get(step);
      List<Choice> wider = new ArrayList<>();
      for (Choice before : layers.get(decision.layer())) {
        for (int bits : decisions.choices(decision).bits()) {
          BitWidth width = BitWidth.of(bits);
          wider.add(
              choice(
                  decision.layer(),
                  before.bits().with(decision.operand(), width),
                  before.loss() + loss.of(decision, width)));
        }
      }
      layers.set(decision.layer(), wider);
    }
    return layers.stream().map(DynamicProgram::unbeaten).toList();
  }

  private Choice choice(int layer, LayerBits bits, double loss) {
    double cost = 0;
    for (int i = 0; i < weights.length; i++) {
      ResourceBudget budget = space.budget().budgets().get(i);
      cost += weights[i] * budget.share(layer, bits);
    }
    return new Choice(bits, cost, loss);
  }

  private double fixedCost() {
    double cost = 0;
    for (int i = 0; i < weights.length; i++) {
      ResourceBudget budget = space.budget().budgets().get(i);
      cost += weights[i] * budget.fixedShare();
    }
    return cost;
  }

  /** Those that no other beats in both: cost ascending, loss descending. */
  private static List<Choice> unbeaten(List<Choice> choices) {
    List<Choice> sorted = new ArrayList<>(choices);
    sorted.sort(Comparator.comparingDouble(Choice::cost).thenComparingDouble(Choice::loss));
    List<Choice> kept = new ArrayList<>();
    double least = Double.POSITIVE_INFINITY;
    for (Choice choice : sorted) {
      if (choice.loss() < least) {
        kept.add(choice);
        least = choice.loss();
      }
    }
    return kept;
  }

  /**
   * Every partial policy with every choice of the next layer; keeps the best of each cell.
   *
   * @param cells up to the budget and the slack; what costs more is dropped
   */
  private void extend(List<Choice> choices, double cell, int cells) {
    double[] cellCost = new double[cells + 1];
    double[] cellLoss = new double[cells + 1];
    int[] cellBefore = new int[cells + 1];
    short[] cellChosen = new short[cells + 1];
    Arrays.fill(cellLoss, Double.POSITIVE_INFINITY);
    double cheapest = choices.get(0).cost();
    for (short c = 0; c < choices.size(); c++) {
      double more = choices.get(c).cost() - cheapest;
      double worse = choices.get(c).loss();
      for (int i = 0; i < costs.length; i++) {
        double cost = costs[i] + more;
        double loss = losses[i] + worse;
        int at = (int) Math.ceil(cost / cell); // 0 for the cheapest alone
        if (at > cells) {
          break; // the further ones cost more
        }
        if (loss < cellLoss[at] || (loss == cellLoss[at] && cost < cellCost[at])) {
          cellCost[at] = cost;
          cellLoss[at] = loss;
          cellBefore[at] = i;
          cellChosen[at] = c;
        }
      }
    }
    int kept = 0;
    double least = Double.POSITIVE_INFINITY;
    for (int at = 0; at <= cells; at++) {
      if (cellLoss[at] < least) {
        least = cellLoss[at];
        cellCost[kept] = cellCost[at];
        cellLoss[kept] = cellLoss[at];
        cellBefore[kept] = cellBefore[at];
        cellChosen[kept] = cellChosen[at];
        kept++;
      }
    }
    stages.add(
        new Stage(choices, Arrays.copyOf(cellBefore, kept), Arrays.copyOf(cellChosen, kept)));
    costs = Arrays.copyOf(cellCost, kept);
    losses = Arrays.copyOf(cellLoss, kept);
  }

  /** How many policies were found: point 0 costs least, the last one loses least. */
  int size() {
    return costs.length;
  }

  /** Share of the budgets, weighted. */
  double cost(int point) {
    return costs[point];
  }

  double loss(int point) {
    return losses[point];
  }

  Policy policy(int point) {
    LayerBits[] layers = new LayerBits[stages.size()];
    int at = point;
    for (int layer = layers.length - 1; layer >= 0; layer--) {
      Stage stage = stages.get(layer);
      layers[layer] = stage.choices().get(stage.chosen()[at]).bits();
      at = stage.before()[at];
    }
    return new Policy(List.of(layers));
  }

  /**
   * The point of least loss within all budgets; point 0, which costs least, where none is known to
   * be.
   */
  int best() {
    return Math.max(0, best(Double.POSITIVE_INFINITY));
  }

  /**
   * The point of least loss among those within all budgets.
   *
   * @return {@link #NONE} where no point loses less than {@code most}
   */
  int best(double most) {
    int point = relaxed();
    while (point >= 0 && losses[point] < most && !space.budget().isMetBy(policy(point))) {
      point--;
    }
    return point >= 0 && losses[point] < most ? point : NONE;
  }

  /** The point of least loss among those that cost at most 1, whether each budget is met or not. */
  int relaxed() {
    return within(1 + 1e-9);
  }

  /**
   * The point of least loss among those that cost at most {@code most}; point 0 where none does.
   */
  int within(double most) {
    int point = costs.length - 1;
    while (point > 0 && costs[point] > most) {
      point--;
    }
    return point;
  }

  /** The most by which the policies found cost more than the best ones, as a share. */
  double slack() {
    return slack;
  }

  /** What every policy within all budgets loses at least. */
  double bound() {
    int further = relaxed();
    while (further + 1 < costs.length && costs[further + 1] <= 1 + slack) {
      further++;
    }
    return losses[further];
  }
}
