package dev.haq.hwsim.cost;

import dev.haq.model.HaqException;

/**
 * The figures of a bit-serial matrix engine of the BISMO kind: an array of {@code tile x tile}
 * dot-product units, each multiplying two words of {@code wordBits} one-bit values a cycle.
 *
 * @param tile rows and columns of the array, T
 * @param wordBits one-bit values in a word
 * @param activationBufferWords words of activations that fit on the chip
 * @param weightBufferWords words of weights that fit on the chip
 * @param activationWordCycles cycles in which the activation port delivers a word, f_a
 * @param weightWordCycles cycles in which the weight port delivers a word, f_w
 * @param depthwiseActivationWordCycles f_a in a depthwise convolution, whose words are short
 * @param depthwiseWeightWordCycles f_w in a depthwise convolution
 * @param depthwiseGroupChannels channels of a depthwise convolution that share one product
 */
public record BismoParameters(
    int tile,
    int wordBits,
    int activationBufferWords,
    int weightBufferWords,
    int activationWordCycles,
    int weightWordCycles,
    int depthwiseActivationWordCycles,
    int depthwiseWeightWordCycles,
    int depthwiseGroupChannels) {
  public BismoParameters {
    check("tile", tile, 1 << 10);
    check("word_bits", wordBits, 1 << 16);
    check("activation_buffer_words", activationBufferWords, 1 << 28);
    check("weight_buffer_words", weightBufferWords, 1 << 28);
    check("activation_word_cycles", activationWordCycles, 1 << 10);
    check("weight_word_cycles", weightWordCycles, 1 << 10);
    check("depthwise_activation_word_cycles", depthwiseActivationWordCycles, 1 << 10);
    check("depthwise_weight_word_cycles", depthwiseWeightWordCycles, 1 << 10);
    check("depthwise_group_channels", depthwiseGroupChannels, 1 << 10);
  }

  private static void check(String key, int value, int max) {
    if (value < 1 || value > max) {
      throw HaqException.invalid("%s is %d: give 1 to %d", key, value, max);
    }
  }
}
