package dev.haq.agent.ddpg;

import org.bytedeco.javacpp.FloatPointer;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * The parameters of a perceptron with two hidden layers, or their gradient: one vector, seen as
 * three matrices. A bias is its matrix's last row, which meets a column of ones.
 */
final class Parameters {
  final INDArray w1; // [inputs + 1, hidden1]
  final INDArray w2; // [hidden1 + 1, hidden2]
  final INDArray w3; // [hidden2 + 1, 1]
  private final INDArray flat;

  Parameters(int inputs, int hidden1, int hidden2) {
    int size1 = (inputs + 1) * hidden1;
    int size2 = (hidden1 + 1) * hidden2;
    flat = Nd4j.create(DataType.FLOAT, size1 + size2 + hidden2 + 1);
    w1 = columnMajor(flat, 0, inputs + 1, hidden1);
    w2 = columnMajor(flat, size1, hidden1 + 1, hidden2);
    w3 = columnMajor(flat, size1 + size2, hidden2 + 1, 1);
  }

  int size() {
    return (int) flat.length();
  }

  void read(float[] into) {
    read(flat, into);
  }

  void write(float[] from) {
    write(from, flat);
  }

  /** A matrix whose columns lie one after the other in {@code memory}. */
  static INDArray columnMajor(INDArray memory, long offset, long rows, long columns) {
    return Nd4j.create(
        memory.data(), new long[] {rows, columns}, new long[] {1, rows}, offset, 'f');
  }

  /** Copies an array that fills its own memory; faster than any element-wise way. */
  static void read(INDArray from, float[] into) {
    ((FloatPointer) from.data().pointer()).get(into, 0, into.length);
  }

  static void write(float[] from, INDArray into) {
    ((FloatPointer) into.data().pointer()).put(from, 0, from.length);
  }
}
