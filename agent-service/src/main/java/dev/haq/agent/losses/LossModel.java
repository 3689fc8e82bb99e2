package dev.haq.agent.losses;

import dev.haq.agent.search.Decision;
import dev.haq.agent.search.DecisionLoss;
import dev.haq.agent.search.Decisions;
import dev.haq.agent.search.SeededRandom;
import dev.haq.model.BitWidth;
import dev.haq.model.Policy;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;

/**
 * What measured sensitivities turn out to be worth once layers are quantized together. A policy's
 * loss is modelled as {@code sum over decisions d of m_d s_d(width_d)}, where {@code s} is the
 * sensitivity and the factors {@code m} are learned from evaluated policies by Bayesian linear
 * regression (Bishop: Pattern recognition and machine learning, 2006, 3.3), one policy at a time.
 *
 * <p>Before the first policy the factors are believed to be normal around 1, largely in common (the
 * whole sum may be off) and a little each.
 */
public final class LossModel {
  /** Standard deviation of what all factors have in common. */
  private static final double COMMON = 2;

  /** Standard deviation of what a factor has of its own. */
  private static final double OWN = 0.5;

  /** A policy's loss is believed to follow the sum up to this share of it. */
  private static final double MISFIT = 0.02;

  /** And besides up to this share of what it loses more than the best one so far. */
  private static final double FAR = 0.2;

  /** Factors that are drawn are at least this: no width is free. */
  private static final double LEAST_FACTOR = 0.05;

  private final Decisions decisions;
  private final DecisionLoss sensitivity;
  private final double[] mean; // [decisions]
  private final double[][] covariance; // [decisions][decisions]
  private double least = Double.POSITIVE_INFINITY; // of the losses so far

  public LossModel(Decisions decisions, DecisionLoss sensitivity) {
    this.decisions = decisions;
    this.sensitivity = sensitivity;
    int n = decisions.size();
    mean = new double[n];
    Arrays.fill(mean, 1);
    covariance = new double[n][n];
    for (int i = 0; i < n; i++) {
      for (int j = 0; j < n; j++) {
        covariance[i][j] = COMMON * COMMON + (i == j ? OWN * OWN : 0);
      }
    }
  }

  /**
   * Takes in what a policy lost: recursive least squares.
   *
   * @param loss minus the reward
   */
  public void observe(Policy policy, double loss) {
    int n = mean.length;
    double[] x = features(policy);
    double[] px = new double[n];
    double expected = 0;
    double variance = 0;
    for (int i = 0; i < n; i++) {
      for (int j = 0; j < n; j++) {
        px[i] += covariance[i][j] * x[j];
      }
      expected += mean[i] * x[i];
      variance += px[i] * x[i];
    }
    least = Math.min(least, loss);
    double sum = Arrays.stream(x).sum();
    double noise = MISFIT * (Math.abs(loss) + 0.1 * sum) + FAR * (loss - least) + 1e-9;
    double total = variance + noise * noise;
    for (int i = 0; i < n; i++) {
      mean[i] += px[i] / total * (loss - expected);
      for (int j = 0; j < n; j++) {
        covariance[i][j] -= px[i] * px[j] / total;
      }
    }
  }

  private double[] features(Policy policy) {
    double[] x = new double[decisions.size()];
    for (int i = 0; i < x.length; i++) {
      Decision decision = decisions.get(i);
      x[i] = sensitivity.of(decision, decision.of(policy));
    }
    return x;
  }

  /** The losses as they are now believed to be. */
  DecisionLoss expected() {
    return scaled(mean.clone());
  }

  /**
   * Losses drawn from what is believed (Thompson sampling): what is uncertain is tried, what is
   * known to be bad is not.
   *
   * @param boldness factor on how far from the mean is drawn; 1 is Thompson sampling, 0 the mean
   */
  public DecisionLoss drawn(SeededRandom random, double boldness) {
    double[][] root = cholesky();
    double[] z = new double[mean.length];
    double[] factors = mean.clone();
    for (int i = 0; i < z.length; i++) {
      z[i] = random.nextGaussian();
      for (int j = 0; j <= i; j++) {
        factors[i] += boldness * root[i][j] * z[j];
      }
    }
    return scaled(factors);
  }

  private DecisionLoss scaled(double[] factors) {
    Map<Decision, Integer> steps = new HashMap<>();
    for (int i = 0; i < factors.length; i++) {
      steps.put(decisions.get(i), i);
    }
    return (Decision decision, BitWidth width) ->
        Math.max(LEAST_FACTOR, factors[steps.get(decision)]) * sensitivity.of(decision, width);
  }

  /** The lower triangle L with L L' = covariance; columns lost to rounding are left out. */
  private double[][] cholesky() {
    int n = mean.length;
    double[][] l = new double[n][n];
    for (int j = 0; j < n; j++) {
      double diagonal = covariance[j][j];
      for (int k = 0; k < j; k++) {
        diagonal -= l[j][k] * l[j][k];
      }
      if (diagonal <= 1e-12) {
        continue;
      }
      l[j][j] = Math.sqrt(diagonal);
      for (int i = j + 1; i < n; i++) {
        double sum = covariance[i][j];
        for (int k = 0; k < j; k++) {
          sum -= l[i][k] * l[j][k];
        }
        l[i][j] = sum / l[j][j];
      }
    }
    return l;
  }

  /** Bytes that {@link #save} writes. */
  public static long bytes(int decisions) {
    return Double.BYTES + beliefBytes(decisions);
  }

  /** Bytes of these that {@link #loadBeliefs} reads. */
  public static long beliefBytes(long decisions) {
    return Double.BYTES * decisions * (decisions + 1);
  }

  public void save(ByteBuffer out) {
    out.putDouble(least);
    for (double m : mean) {
      out.putDouble(m);
    }
    for (double[] row : covariance) {
      for (double value : row) {
        out.putDouble(value);
      }
    }
  }

  public void load(ByteBuffer in) {
    loadBeliefs(in.getDouble(), in);
  }

  /**
   * @param leastLoss of the policies so far
   */
  public void loadBeliefs(double leastLoss, ByteBuffer in) {
    least = leastLoss;
    for (int i = 0; i < mean.length; i++) {
      mean[i] = in.getDouble();
    }
    for (double[] row : covariance) {
      for (int j = 0; j < row.length; j++) {
        row[j] = in.getDouble();
      }
    }
  }
}
