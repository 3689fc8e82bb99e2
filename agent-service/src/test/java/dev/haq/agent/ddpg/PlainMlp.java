package dev.haq.agent.ddpg;

/** The perceptron written out in double precision, loop by loop: it judges the fast one. */
final class PlainMlp {
  private final int inputs;
  private final int hidden1;
  private final int hidden2;
  final double[] values; // in the order of Mlp.values()

  PlainMlp(Mlp network) {
    inputs = network.inputs;
    hidden1 = network.hidden1;
    hidden2 = network.hidden2;
    values = new double[network.values().length];
    for (int i = 0; i < values.length; i++) {
      values[i] = network.values()[i];
    }
  }

  double forward(double[] input) {
    double[] h1 = layer(0, input, hidden1, true);
    double[] h2 = layer((inputs + 1) * hidden1, h1, hidden2, true);
    return layer((inputs + 1) * hidden1 + (hidden1 + 1) * hidden2, h2, 1, false)[0];
  }

  private double[] layer(int offset, double[] input, int units, boolean relu) {
    double[] output = new double[units];
    for (int unit = 0; unit < units; unit++) {
      int column = offset + unit * (input.length + 1);
      double sum = values[column + input.length]; // bias
      for (int i = 0; i < input.length; i++) {
        sum += input[i] * values[column + i];
      }
      output[unit] = relu ? Math.max(sum, 0) : sum;
    }
    return output;
  }
}
