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
      largest = Math.max(largest, pair(a, b));
    }
    return largest;
  }

  /**
   * The same where the channels of each pixel are filled up with zeros to an even number: other
   * codes then lie side by side where the number is odd.
   */
  int largestPaddedPair(byte[] codes, int output) {
    if (depthwise) {
      return 0;
    }
    int largest = 0;
    for (int pixel = 0; pixel < kernelArea; pixel++) {
      for (int c = 0; c < channels; c += 2) {
        int first = output * perOutput() + c * kernelArea + pixel;
        largest =
            Math.max(largest, pair(codes[first], c + 1 < channels ? codes[first + kernelArea] : 0));
      }
    }
    return largest;
  }

  /** The larger sum of one sign. */
  private static int pair(int a, int b) {
    return Math.max(Math.max(a, 0) + Math.max(b, 0), -Math.min(a, 0) - Math.min(b, 0));
  }

  /** Where in an output's weights the {@code read}-th one is that a matrix product reads. */
  private int place(int read) {
    return read % channels * kernelArea + read / channels;
  }
}
