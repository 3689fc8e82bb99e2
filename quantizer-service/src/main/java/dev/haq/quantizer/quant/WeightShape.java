package dev.haq.quantizer.quant;

/**
 * How a layer's weights lie in an array: [outputs][channels][kernelArea].
 *
 * @param outputs of the layer
 * @param channels that one output reads: input channels of its group, or input units
 * @param kernelArea pixels of the kernel; 1 of a fully connected layer
 * @param depthwise whether every channel is convolved by itself, and products are not added across
 *     channels
 */
public record WeightShape(int outputs, int channels, int kernelArea, boolean depthwise) {
  int perOutput() {
    return channels * kernelArea;
  }

  /**
   * The largest sum of two codes of one sign that lie side by side in the order in which an integer
   * matrix product reads them: pixel by pixel of the kernel, all channels of a pixel together. 0 of
   * a depthwise layer.
   */
  int largestPair(byte[] codes, int output) {
    if (depthwise) {
      return 0;
    }
    int perOutput = perOutput();
    int largest = 0;
    for (int first = 0; first < perOutput; first += 2) {
      int a = codes[output * perOutput + place(first)];
      int b = first + 1 < perOutput ? codes[output * perOutput + place(first + 1)] : 0;
      int positive = Math.max(a, 0) + Math.max(b, 0);
      int negative = Math.min(a, 0) + Math.min(b, 0);
      largest = Math.max(largest, Math.max(positive, -negative));
    }
    return largest;
  }

  /** Where in an output's weights the {@code read}-th one is that a matrix product reads. */
  private int place(int read) {
    return read % channels * kernelArea + read / channels;
  }
}
