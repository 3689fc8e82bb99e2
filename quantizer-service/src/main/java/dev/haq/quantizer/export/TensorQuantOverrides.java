package dev.haq.quantizer.export;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.haq.quantizer.graphs.ClippedFloatGraph.Encoding;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The {@code TensorQuantOverrides} of ONNX Runtime's Python quantizer: for each tensor a type,
 * scale and zero-point, one entry for each channel where there are several. Its types have 4 and 8
 * bits. Weights of other widths lie on their grid inside the next wider type; activations are kept
 * in their range by the Clip in the model.
 */
final class TensorQuantOverrides {
  /** The script that applies the overrides to the model beside it. */
  private static final String LOADER = "/export/quantize.py";

  private static final int NARROW = 4;

  private TensorQuantOverrides() {}

  static byte[] write(List<Encoding> encodings) {
    ObjectNode document = Json.object();
    for (Encoding encoding : encodings) {
      ArrayNode channels = document.putArray(encoding.name());
      for (float scale : encoding.scales()) {
        ObjectNode entry = channels.addObject().put("quant_type", type(encoding));
        encoding.axis().ifPresent(axis -> entry.put("axis", axis));
        entry.put("scale", scale);
        entry.put("zero_point", encoding.weights() ? 0 : -encoding.lowest());
      }
    }
    return Json.bytes(document);
  }

  private static String type(Encoding encoding) {
    if (!encoding.weights()) {
      return "QUInt8";
    }
    return encoding.bits() <= NARROW ? "QInt4" : "QInt8";
  }

  static byte[] loader() {
    try (InputStream in = TensorQuantOverrides.class.getResourceAsStream(LOADER)) {
      return in.readAllBytes();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** What a document of overrides says. */
  static List<Encoding> read(byte[] json) {
    List<Encoding> encodings = new ArrayList<>();
    Json.tree(json)
        .properties()
        .forEach(
            tensor -> {
              JsonNode first = tensor.getValue().get(0);
              String type = first.get("quant_type").asText();
              int bits = type.endsWith("4") ? NARROW : 8;
              boolean signed = type.startsWith("QInt");
              int lowest = (signed ? -(1 << (bits - 1)) : 0) - first.get("zero_point").intValue();
              List<Float> scales = new ArrayList<>();
              tensor.getValue().forEach(entry -> scales.add(entry.get("scale").floatValue()));
              encodings.add(
                  new Encoding(
                      tensor.getKey(),
                      "",
                      scales,
                      first.has("axis")
                          ? Optional.of(first.get("axis").intValue())
                          : Optional.empty(),
                      lowest,
                      lowest + (1 << bits) - 1,
                      bits,
                      signed));
            });
    return encodings;
  }
}
