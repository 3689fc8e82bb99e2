package dev.haq.model;

/**
 * How a convolution walks over its input: kernel, stride and dilation at least 1, padding at least
 * 0, all in pixels; the kernel has fewer than 2^31 values.
 */
public record Window(
    int kernelHeight,
    int kernelWidth,
    int strideHeight,
    int strideWidth,
    int dilationHeight,
    int dilationWidth,
    int padTop,
    int padLeft,
    int padBottom,
    int padRight) {
  public Window {
    if (Math.min(kernelHeight, kernelWidth) < 1
        || Math.min(strideHeight, strideWidth) < 1
        || Math.min(dilationHeight, dilationWidth) < 1) {
      throw HaqException.invalid(
          "kernel %dx%d, stride %dx%d, dilation %dx%d: each must be at least 1",
          kernelHeight, kernelWidth, strideHeight, strideWidth, dilationHeight, dilationWidth);
    }
    if (Math.min(Math.min(padTop, padLeft), Math.min(padBottom, padRight)) < 0) {
      throw HaqException.invalid(
          "padding [%d, %d, %d, %d] must not be negative", padTop, padLeft, padBottom, padRight);
    }
    if ((long) kernelHeight * kernelWidth > Integer.MAX_VALUE) {
      throw HaqException.invalid(
          "kernel %dx%d: it must have at most %d values",
          kernelHeight, kernelWidth, Integer.MAX_VALUE);
    }
  }

  /** A square kernel, the same stride both ways, no dilation, the same padding on all sides. */
  public static Window square(int kernel, int stride, int pad) {
    return new Window(kernel, kernel, stride, stride, 1, 1, pad, pad, pad, pad);
  }

  public int kernelArea() {
    return kernelHeight * kernelWidth;
  }
}
