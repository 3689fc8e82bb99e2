package dev.haq.quantizer.train;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.nn.Activation;
import dev.haq.quantizer.graphs.TunedGraph;
import dev.haq.quantizer.quant.LinearQuantizer;

/**
 * Fake-quantization of a layer's input: q(x) = round(clamp(x, low, c) / s) * s, whose gradient is
 * that of x inside the clip range and 0 outside (HAQ paper, 3.4 and 3.5). The layer works on the
 * codes q(x) / s, and its weights, which are few, are multiplied by s.
 *
 * <p>A learnt clip threshold c is that of PACT (Choi et al. 2018, arXiv:1805.06085, equations 1 to
 * 3): dq/dc is 1 where x is above c and 0 elsewhere; here also -1 below -c where values have both
 * signs.
 */
final class TrainedActivations {
  /** Of the threshold that was fitted. */
  private static final float LEAST_SHARE = 1e-3f;

  private final LinearQuantizer fitted;
  private final NDArray clip; // [1]; null where it is not learnt

  /**
   * @param fitted the quantizer of the network as it was
   * @param manager owns the learnt threshold
   */
  TrainedActivations(LinearQuantizer fitted, boolean learnt, NDManager manager) {
    this.fitted = fitted;
    this.clip = learnt && fitted.highest() > 0 ? manager.create(new float[] {fitted.clip()}) : null;
  }

  boolean isLearnt() {
    return clip != null;
  }

  /** Raises a learnt threshold that came near 0 or below, where nothing could be told apart. */
  void keepAboveZero() {
    float value = clip.toFloatArray()[0];
    float least = LEAST_SHARE * fitted.clip();
    if (value < least) {
      clip.addi(least - value);
    }
  }

  /** What gradient descent changes where the threshold is learnt. */
  NDArray parameter() {
    return clip;
  }

  /**
   * Codes of the input and the scale they stand for.
   *
   * @param scale [1] where the threshold is learnt, else null
   */
  record Codes(NDArray codes, NDArray scale, float fixedScale) {
    /** The layer's weights times the scale. */
    NDArray scaled(NDArray weights) {
      return scale == null ? Scalars.times(weights, fixedScale) : weights.mul(scale);
    }
  }

  /**
   * @param x the layer's input
   * @param threshold the learnt threshold that gradients are gathered at; unused where it is fixed
   */
  Codes codes(NDArray x, NDArray threshold) {
    if (clip == null) {
      NDArray steps = Scalars.times(x, 1 / fitted.scale());
      NDArray clipped = steps.clip(fitted.lowest(), fitted.highest());
      steps.close();
      return new Codes(Rounding.inPlace(clipped), null, fitted.scale());
    }
    NDArray above = x.minimum(threshold);
    NDArray clipped =
        fitted.signed()
            ? above.maximum(Scalars.times(threshold, (float) fitted.lowest() / fitted.highest()))
            : Activation.relu(above);
    NDArray scale = threshold.stopGradient().div(fitted.highest());
    NDArray codes = clipped.div(scale);
    return new Codes(Rounding.inPlace(codes), scale, 0);
  }

  /** The learnt thresholds as they are now. */
  TunedGraph.Clip learnt() {
    float high = clip.toFloatArray()[0];
    return new TunedGraph.Clip(high * fitted.lowest() / fitted.highest(), high);
  }
}
