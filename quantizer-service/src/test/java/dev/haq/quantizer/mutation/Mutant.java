package dev.haq.quantizer.mutation;

import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import dev.haq.quantizer.data.Samples;
import dev.haq.quantizer.importing.SmallModel;
import dev.haq.quantizer.onnx.Nodes;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/**
 * A damaged file, made from its seed alone.
 *
 * @param model whether it is a model or data
 */
record Mutant(long seed, boolean model, byte[] bytes) {
  static Mutant of(long seed) {
    Random random = new Random(seed);
    boolean model = random.nextInt(5) < 3;
    try {
      return new Mutant(seed, model, model ? model(random) : DataDamage.of(random));
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  private static byte[] model(Random random) throws IOException {
    byte[] sound = sound(random.nextInt(4));
    return switch (random.nextInt(6)) {
      case 0, 1 -> ByteDamage.of(sound, random);
      case 2 -> {
        Map<String, byte[]> files = new LinkedHashMap<>();
        files.put("net.onnx", ModelDamage.of(sound, random));
        files.put("weights.bin", new byte[500]);
        byte[] zip = Samples.zip(files);
        yield random.nextBoolean() ? zip : ByteDamage.of(zip, random);
      }
      default -> ModelDamage.of(sound, random);
    };
  }

  private static byte[] sound(int which) {
    SmallModel model = new SmallModel(which == 2 ? 1 : 0, 3, 8, 8).opset(which == 1 ? 9 : 13);
    String x = model.relu(model.batchNorm(model.conv("image", 3, 8, 3, 1, 1), 8));
    x = model.node("Add", x, model.conv(x, 8, 8, 3, 1, 8));
    if (which != 1) {
      x = model.relu6(x);
    }
    x =
        model.node(
            "MaxPool",
            List.of(x),
            SmallModel.window(3, 2, 1).toBuilder().removeAttribute(3).build());
    x = model.pooled(x);
    if (which == 2) {
      x = model.node("Reshape", x, model.initializer(1, 8));
    }
    x =
        which == 3
            ? model.node(
                "Add",
                model.node("MatMul", x, model.initializer(model.values(40, 1), 8, 5)),
                model.initializer(model.values(5, 1), 5))
            : model.gemm(x, 8, 5);
    NodeProto last = NodeProto.newBuilder().addAttribute(Nodes.integer("axis", 1)).build();
    ModelProto whole = model.model(which == 0 ? model.node("Softmax", List.of(x), last) : x);
    return whole.toByteArray();
  }
}
