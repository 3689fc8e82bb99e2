package dev.haq.model;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * How a policy becomes a quantized network, named and numbered so that results can be compared: a
 * recipe of {@link #NAMES}, and what departs from it. What a version does never changes.
 *
 * @param name {@code haq}: linear quantization, clip thresholds by KL divergence (paper, 3.4);
 *     {@code ptq}: the best without training; {@code haq-finetune}: haq, then fine-tuned (paper,
 *     3.5); {@code kmeans}: weights share 2^bits centroids (paper, 3.4, model size)
 * @param version 1 up to the newest
 * @param weightScales one scale for each output channel, or one for the tensor
 * @param weightClip empty for the recipe's own
 * @param activationClip empty for the recipe's own
 * @param codebookStart where the centroids of codebooks begin
 * @param fineTuning empty for the recipe's own; only of recipes that are fine-tuned
 */
public record Recipe(
    String name,
    int version,
    WeightScales weightScales,
    Optional<Clip> weightClip,
    Optional<Clip> activationClip,
    CodebookStart codebookStart,
    Optional<FineTuning> fineTuning) {
  /** How many scales a weight tensor has. */
  public enum WeightScales {
    PER_CHANNEL,
    PER_TENSOR
  }

  /** How a clip threshold is chosen. */
  public enum Clip {
    /** Least Kullback-Leibler divergence (paper, 3.4). */
    KL_DIVERGENCE,
    /** Least mean squared error. */
    SQUARED_ERROR,
    /** A percentile of the magnitudes. */
    PERCENTILE,
    /** No clipping. */
    MIN_MAX
  }

  /** Where k-means begins. */
  public enum CodebookStart {
    /** Drawn with probability proportional to squared distance (Arthur, Vassilvitskii 2007). */
    PLUS_PLUS,
    /**
     * Evenly from the smallest weight to the largest, which keeps the rare large ones (Han et al.
     * 2016, arXiv:1510.00149, section 3.2).
     */
    LINEAR
  }

  /** Every recipe there is. */
  public static final List<String> NAMES = List.of("haq", "ptq", "haq-finetune", "kmeans");

  /**
   * The newest version of each, in their order. Once released, a change that moves results makes it
   * one more.
   */
  private static final List<Integer> NEWEST = List.of(1, 2, 1, 1);

  /** Recipes that train; see {@link FineTuning}. */
  private static final List<String> TRAINED = List.of("haq-finetune", "kmeans");

  private static final String CODEBOOKS = "kmeans";

  private static final Pattern ID = Pattern.compile("(.+?)(?:@([1-9][0-9]{0,8}))?");

  /** The paper's way, with a scale for each channel: networks with depthwise layers need it. */
  public static final Recipe HAQ = named("haq");

  public Recipe {
    if (version < 1 || version > newest(name)) {
      throw unknown(name + "@" + version);
    }
    if (fineTuning.isPresent() && !TRAINED.contains(name)) {
      throw HaqException.invalid(
          "recipe '%s' is not fine-tuned: leave fine_tuning out, or use %s",
          name, String.join(" or ", TRAINED));
    }
    if (codebookStart != CodebookStart.PLUS_PLUS && !CODEBOOKS.equals(name)) {
      throw HaqException.invalid(
          "recipe '%s' has no codebooks: leave codebook_start out, or use %s", name, CODEBOOKS);
    }
  }

  /**
   * A recipe as it is, with a weight scale for each channel.
   *
   * @param id its name, after which a version may follow, as in {@code ptq@2}; without it the
   *     newest is meant
   */
  public static Recipe named(String id) {
    Matcher parts = ID.matcher(id);
    if (!parts.matches()) {
      throw unknown(id);
    }
    int newest = newest(parts.group(1));
    int version = parts.group(2) == null ? newest : Integer.parseInt(parts.group(2));
    if (version < 1 || version > newest) {
      throw unknown(id);
    }
    return new Recipe(
        parts.group(1),
        version,
        WeightScales.PER_CHANNEL,
        Optional.empty(),
        Optional.empty(),
        CodebookStart.PLUS_PLUS,
        Optional.empty());
  }

  /** 0 of a recipe that there is not. */
  private static int newest(String name) {
    int index = NAMES.indexOf(name);
    return index < 0 ? 0 : NEWEST.get(index);
  }

  private static HaqException unknown(String id) {
    List<String> known = new ArrayList<>();
    for (String name : NAMES) {
      for (int version = 1; version <= newest(name); version++) {
        known.add(name + "@" + version);
      }
    }
    return HaqException.invalid(
        "there is no recipe '%s': use one of %s", id, String.join(", ", known));
  }

  /** Name and version, as in {@code ptq@2}: the same recipe whatever comes after it. */
  public String id() {
    return name + "@" + version;
  }

  /** Whether networks made by it are trained: haq-finetune always, kmeans where told how. */
  public boolean isTrained() {
    return name.equals("haq-finetune") || fineTuning.isPresent();
  }

  /** Whether weights are codes of a codebook, which takes room of its own. */
  public boolean hasCodebooks() {
    return name.equals(CODEBOOKS);
  }

  /** How it trains, where it does. */
  public FineTuning training() {
    return fineTuning.orElse(FineTuning.DEFAULT);
  }

  /**
   * What trains a network that this recipe quantizes, with its scales and clips: kmeans itself,
   * else haq-finetune, whose newest version it is where this is of another name.
   */
  public Recipe trainedWith(FineTuning tuning) {
    boolean trains = TRAINED.contains(name);
    return new Recipe(
        trains ? name : "haq-finetune",
        trains ? version : newest("haq-finetune"),
        weightScales,
        weightClip,
        activationClip,
        codebookStart,
        Optional.of(tuning));
  }

  /** What judges a network that this recipe has trained: the same without training. */
  public Recipe untrained() {
    return new Recipe(
        name.equals("haq-finetune") ? "haq" : name,
        version,
        weightScales,
        weightClip,
        activationClip,
        codebookStart,
        Optional.empty());
  }

  public Recipe withWeightScales(WeightScales scales) {
    return new Recipe(name, version, scales, weightClip, activationClip, codebookStart, fineTuning);
  }

  /** This recipe with other clip thresholds. */
  public Recipe withClips(Clip weights, Clip activations) {
    return withClips(Optional.of(weights), Optional.of(activations));
  }

  /** This recipe with the clip thresholds given, and its own where none is. */
  public Recipe withClips(Optional<Clip> weights, Optional<Clip> activations) {
    return new Recipe(name, version, weightScales, weights, activations, codebookStart, fineTuning);
  }

  public Recipe withFineTuning(FineTuning other) {
    return new Recipe(
        name, version, weightScales, weightClip, activationClip, codebookStart, Optional.of(other));
  }

  /** This recipe with another start of its codebooks. */
  public Recipe withCodebookStart(CodebookStart start) {
    return new Recipe(name, version, weightScales, weightClip, activationClip, start, fineTuning);
  }
}
