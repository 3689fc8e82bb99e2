package dev.haq.quantizer.train;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.onnx.proto.OnnxMl.NodeProto;
import java.util.Arrays;
import java.util.List;

/** One ONNX operator as operations of the training library, through which gradients pass. */
interface NdOperator {
  /**
   * @param node with its attributes
   * @return its outputs, in the node's order
   */
  List<NdValue> apply(NodeProto node, Inputs inputs);

  /**
   * The inputs of a node in its order; those behind the last are left out.
   *
   * @param manager owns the arrays that are made of constants
   */
  record Inputs(List<NdValue> values, NDManager manager) {
    NdValue get(int index) {
      return index < values.size() ? values.get(index) : new NdValue.Absent();
    }

    boolean has(int index) {
      return !(get(index) instanceof NdValue.Absent);
    }

    int size() {
      return values.size();
    }

    NDArray real(int index) {
      NdValue value = get(index);
      if (value instanceof NdValue.Constant constant) {
        return manager.create(constant.values(), constant.shape());
      }
      if (value instanceof NdValue.Real real) {
        return real.array();
      }
      throw new UnsupportedInput("where input " + index + " is no tensor of real numbers");
    }

    /** The same where whole numbers stand for the real ones that they are. */
    NDArray realOfWhole(int index) {
      if (!(get(index) instanceof NdValue.Whole whole)) {
        return real(index);
      }
      float[] values = new float[whole.numbers().length];
      for (int i = 0; i < values.length; i++) {
        values[i] = whole.numbers()[i];
      }
      return manager.create(values, whole.scalar() ? new Shape() : new Shape(values.length));
    }

    /** The one value of a constant. */
    float number(int index) {
      if (get(index) instanceof NdValue.Constant constant && constant.values().length == 1) {
        return constant.values()[0];
      }
      throw new UnsupportedInput("where input " + index + " is no constant of one value");
    }

    /** Whole numbers known before the network runs on; none where the input is left out. */
    long[] whole(int index) {
      NdValue value = get(index);
      if (value instanceof NdValue.Whole whole) {
        return whole.numbers();
      }
      if (value instanceof NdValue.Absent) {
        return new long[0];
      }
      throw new UnsupportedInput(
          "where input " + index + " holds no whole numbers known beforehand");
    }

    int[] ints(int index) {
      return Arrays.stream(whole(index)).mapToInt(Math::toIntExact).toArray();
    }
  }

  /** A use of an operator that is not carried out here; the message goes after its name. */
  final class UnsupportedInput extends RuntimeException {
    private static final long serialVersionUID = 1L;

    UnsupportedInput(String message) {
      super(message);
    }
  }
}
