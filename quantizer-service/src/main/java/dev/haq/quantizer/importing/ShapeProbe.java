package dev.haq.quantizer.importing;

import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.TensorInfo;
import dev.haq.model.HaqException;
import dev.haq.model.Reason;
import dev.haq.quantizer.onnx.Ort;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;

/** Runs a model once on noise, to read every tensor's shape off and to see that it runs at all. */
final class ShapeProbe {
  private static final long SEED = 1;

  /** Relative difference that another batch size may make to one image's scores. */
  private static final float TOLERANCE = 1e-2f;

  private ShapeProbe() {}

  /**
   * Shapes of all computed tensors for a batch of one; tensors that are no tensors are left out.
   */
  static Map<String, List<Integer>> shapes(GraphDraft draft, int[] inputShape) {
    Map<String, List<Integer>> shapes = new HashMap<>();
    shapes.put(draft.input.getName(), shapeOf(1, inputShape));
    try {
      ProbeLimits limits = ProbeLimits.ofImage(draft.constants, shapes);
      new PiecewiseRun(draft.model, draft.constants, limits, draft.cancelled)
          .run(
              draft.nodes,
              Map.of(draft.input.getName(), noise(0, 1, inputShape)),
              Set.of(draft.output),
              (name, value) -> {
                if (value.getInfo() instanceof TensorInfo info) {
                  if (name.equals(draft.output)) {
                    requireScores(name, info);
                  }
                  shapes.put(name, toInts(info.getShape()));
                }
              });
      // As a whole it is run again, for one image and for two.
      limits.requireFewAtOnce(
          draft.nodes, Set.of(draft.output), limits.size(draft.input.getName()));
      shapes.keySet().removeIf(Branches::isInner);
    } catch (OrtException e) {
      throw Ort.refused(e);
    }
    return shapes;
  }

  private static void requireScores(String output, TensorInfo info) {
    if (info.type != OnnxJavaType.FLOAT) {
      throw GraphDraft.invalid(
          "the model's output '%s' holds numbers of type %s: a classifier's scores in float are needed, without an ArgMax or Cast after them"
              .formatted(output, info.type));
    }
  }

  /**
   * Whether the draft computes the same for each of two images whether it comes alone or beside the
   * other.
   *
   * @throws HaqException UNAVAILABLE where there was no memory to see it
   */
  static boolean takesAnyBatch(GraphDraft draft, int[] inputShape, int classes) {
    ModelProto free = draft.toModel(0, List.of(draft.output));
    try (OrtSession session = Ort.open(free, Ort.Rewriting.PROBE)) {
      float[] together = run(session, draft, 0, 2, inputShape, classes);
      for (int image = 0; image < 2; image++) {
        float[] alone = run(session, draft, image, 1, inputShape, classes);
        if (alone.length == 0
            || together.length != 2 * alone.length
            || !agree(alone, together, image * alone.length)) {
          return false;
        }
      }
      return true;
    } catch (OrtException e) {
      return deniedBy(Ort.refused(e));
    } catch (RuntimeException e) {
      return deniedBy(e);
    }
  }

  /** False, unless the failure says nothing about the model. */
  static boolean deniedBy(RuntimeException e) {
    if (e instanceof HaqException typed && typed.reason() == Reason.UNAVAILABLE) {
      throw typed;
    }
    return false;
  }

  /** Whether an image's scores are what they are beside another, from {@code from} on there. */
  private static boolean agree(float[] alone, float[] together, int from) {
    float largest = 0;
    for (float value : alone) {
      largest = Math.max(largest, Math.abs(value));
    }
    for (int i = 0; i < alone.length; i++) {
      if (Math.abs(alone[i] - together[from + i]) > TOLERANCE * largest) {
        return false;
      }
    }
    return true;
  }

  /** The scores of a batch; none when they are not one for each class and image. */
  private static float[] run(
      OrtSession session, GraphDraft draft, int first, int batch, int[] inputShape, int classes)
      throws OrtException {
    try (OnnxTensor input = noise(first, batch, inputShape);
        OrtSession.Result result = session.run(Map.of(draft.input.getName(), input))) {
      OnnxTensor tensor = (OnnxTensor) result.get(0);
      if (tensor.getInfo().getNumElements() != (long) batch * classes) {
        return new float[0];
      }
      FloatBuffer values = tensor.getFloatBuffer();
      float[] scores = new float[values.remaining()];
      values.get(scores);
      return scores;
    }
  }

  /** Images from {@code first} on: each is the same whatever the batch. */
  private static OnnxTensor noise(int first, int batch, int[] inputShape) throws OrtException {
    int each = inputShape[0] * inputShape[1] * inputShape[2];
    Random random = new Random(SEED);
    for (int i = 0; i < first * each; i++) {
      random.nextGaussian();
    }
    int values = batch * each;
    FloatBuffer buffer =
        java.nio.ByteBuffer.allocateDirect(values * Float.BYTES)
            .order(java.nio.ByteOrder.nativeOrder())
            .asFloatBuffer();
    for (int i = 0; i < values; i++) {
      buffer.put(i, (float) random.nextGaussian());
    }
    return OnnxTensor.createTensor(
        Ort.environment(), buffer, new long[] {batch, inputShape[0], inputShape[1], inputShape[2]});
  }

  private static List<Integer> shapeOf(int batch, int[] inputShape) {
    return List.of(batch, inputShape[0], inputShape[1], inputShape[2]);
  }

  static List<Integer> toInts(long[] shape) {
    List<Integer> ints = new ArrayList<>();
    for (long dim : shape) {
      ints.add(Math.toIntExact(dim));
    }
    return List.copyOf(ints);
  }
}
