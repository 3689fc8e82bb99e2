package dev.haq.quantizer.quant;

/**
 * The clip threshold that {@value #SHARE} of the magnitudes do not exceed (Wu et al. 2020,
 * arXiv:2004.09602, section 3.1). Zeros are left out, see {@link Histogram}.
 */
public final class PercentileClip {
  /** 99.99 %, one of the percentiles compared there. */
  static final double SHARE = 0.9999;

  private PercentileClip() {}

  /** Above 0 and at most the largest magnitude; that magnitude when nothing was counted. */
  public static double of(Histogram histogram) {
    double wanted = histogram.total() * SHARE;
    long within = 0;
    for (int bin = 0; bin < histogram.bins(); bin++) {
      within += histogram.count(bin);
      if (within > 0 && within >= wanted) {
        return histogram.max() * (bin + 1) / histogram.bins();
      }
    }
    return histogram.max();
  }
}
