package dev.haq.quantizer.importing;

import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.StringStringEntryProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.TensorShapeProto;
import ai.onnx.proto.OnnxMl.TensorShapeProto.Dimension;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import dev.haq.model.HaqException;
import dev.haq.model.ImageSize;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * The image size that was stated when a model was sent whose input leaves it open. It is kept in
 * the file's metadata: two protobuf messages one after the other are one that holds what is in
 * both, so a large file need not be read for it.
 */
public final class StatedImageSize {
  private static final String KEY = "haq.image_size";

  private StatedImageSize() {}

  public static void append(Path file, ImageSize size) throws IOException {
    ModelProto stated =
        ModelProto.newBuilder()
            .addMetadataProps(
                StringStringEntryProto.newBuilder().setKey(KEY).setValue(size.toString()))
            .build();
    Files.write(file, stated.toByteArray(), StandardOpenOption.APPEND);
  }

  /**
   * The model with an input of the stated size, if one was stated; channels come first.
   *
   * @throws HaqException INVALID_MODEL when the file itself states another
   */
  static ModelProto apply(ModelProto model) {
    return of(model).map(size -> withInputs(model, size)).orElse(model);
  }

  private static ModelProto withInputs(ModelProto model, ImageSize size) {
    Set<String> weights =
        model.getGraph().getInitializerList().stream()
            .map(TensorProto::getName)
            .collect(Collectors.toSet());
    ModelProto.Builder sized = model.toBuilder();
    for (ValueInfoProto.Builder input : sized.getGraphBuilder().getInputBuilderList()) {
      if (weights.contains(input.getName())) {
        continue; // old files list them as inputs too
      }
      TensorShapeProto.Builder shape =
          input.getTypeBuilder().getTensorTypeBuilder().getShapeBuilder();
      if (shape.getDimCount() == 4) {
        state(input.getName(), shape.getDimBuilder(2), size.height());
        state(input.getName(), shape.getDimBuilder(3), size.width());
      }
    }
    return sized.build();
  }

  private static void state(String input, Dimension.Builder dimension, int pixels) {
    if (dimension.getDimValue() > 0 && dimension.getDimValue() != pixels) {
      throw GraphDraft.invalid(
          "input '%s' has %d pixels where %d were stated: leave the image size out, or export the model with it"
              .formatted(input, dimension.getDimValue(), pixels));
    }
    dimension.setDimValue(pixels);
  }

  private static Optional<ImageSize> of(ModelProto model) {
    return model.getMetadataPropsList().stream()
        .filter(entry -> entry.getKey().equals(KEY))
        .map(entry -> ImageSize.parse(entry.getValue()))
        .reduce((first, last) -> last);
  }
}
