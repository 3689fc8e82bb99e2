package dev.haq.quantizer.train;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.types.Shape;
import ai.onnx.proto.OnnxMl.NodeProto;
import dev.haq.quantizer.onnx.Nodes;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/** Operators that take values of a tensor from other places, or more than once. */
final class NdMoves {
  private NdMoves() {}

  static void register(Map<String, NdOperator> operators) {
    operators.put("Gather", (node, in) -> List.of(gather(node, in)));
    operators.put("Expand", (node, in) -> NdGraph.one(expand(in.real(0), in.whole(1))));
    operators.put("Tile", (node, in) -> NdGraph.one(in.real(0).tile(in.whole(1))));
    operators.put("DepthToSpace", (node, in) -> NdGraph.one(depthToSpace(node, in.real(0))));
    operators.put("SpaceToDepth", (node, in) -> NdGraph.one(spaceToDepth(node, in.real(0))));
  }

  private static NdValue gather(NodeProto node, NdOperator.Inputs in) {
    if (!(in.get(1) instanceof NdValue.Whole indices)) {
      throw new NdOperator.UnsupportedInput("with indices that are computed");
    }
    if (in.get(0) instanceof NdValue.Whole numbers) {
      int size = numbers.numbers().length;
      long[] taken =
          Arrays.stream(indices.numbers())
              .map(i -> numbers.numbers()[(int) position(i, size)])
              .toArray();
      return new NdValue.Whole(taken, indices.scalar());
    }
    NDArray x = in.real(0);
    Shape shape = x.getShape();
    int axis = (int) position(Nodes.integer(node, "axis", 0), shape.dimension());
    NDArray taken = taken(x, axis, indices.numbers());
    return new NdValue.Real(
        indices.scalar()
            ? taken.reshape(shape.slice(0, axis).addAll(shape.slice(axis + 1)))
            : taken);
  }

  /** Counted from the back where it is negative. */
  private static long position(long index, long size) {
    return index < 0 ? index + size : index;
  }

  /** Neighbours that stay neighbours are taken in one piece. */
  private static NDArray taken(NDArray x, int axis, long[] indices) {
    long size = x.getShape().get(axis);
    NDList pieces = new NDList();
    for (int i = 0; i < indices.length; ) {
      long from = position(indices[i], size);
      int length = 1;
      while (i + length < indices.length && position(indices[i + length], size) == from + length) {
        length++;
      }
      NDIndex index = new NDIndex();
      for (int d = 0; d < axis; d++) {
        index.addAllDim();
      }
      pieces.add(x.get(index.addSliceDim(from, from + length)));
      i += length;
    }
    return pieces.size() == 1 ? pieces.head() : NDArrays.concat(pieces, axis);
  }

  /** Each of the two shapes may have more dimensions, or a 1 where the other has more. */
  private static NDArray expand(NDArray x, long[] sizes) {
    long[] own = x.getShape().getShape();
    long[] result = new long[Math.max(own.length, sizes.length)];
    for (int i = 1; i <= result.length; i++) {
      long mine = i <= own.length ? own[own.length - i] : 1;
      long asked = i <= sizes.length ? sizes[sizes.length - i] : 1;
      result[result.length - i] = mine == 1 ? asked : mine;
    }
    return x.broadcast(new Shape(result));
  }

  private static NDArray depthToSpace(NodeProto node, NDArray x) {
    long block = Nodes.integer(node, "blocksize", 1);
    Shape s = x.getShape();
    long channels = s.get(1) / (block * block);
    boolean columnsFirst = Nodes.string(node, "mode", "DCR").equals("CRD");
    NDArray apart =
        columnsFirst
            ? x.reshape(s.get(0), channels, block, block, s.get(2), s.get(3))
                .transpose(0, 1, 4, 2, 5, 3)
            : x.reshape(s.get(0), block, block, channels, s.get(2), s.get(3))
                .transpose(0, 3, 4, 1, 5, 2);
    return apart.reshape(s.get(0), channels, s.get(2) * block, s.get(3) * block);
  }

  private static NDArray spaceToDepth(NodeProto node, NDArray x) {
    long block = Nodes.integer(node, "blocksize", 1);
    Shape s = x.getShape();
    long height = s.get(2) / block;
    long width = s.get(3) / block;
    return x.reshape(s.get(0), s.get(1), height, block, width, block)
        .transpose(0, 3, 5, 1, 2, 4)
        .reshape(s.get(0), s.get(1) * block * block, height, width);
  }
}
