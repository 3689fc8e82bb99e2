package dev.haq.quantizer.export;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.haq.quantizer.graphs.ClippedFloatGraph.Encoding;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * AIMET's encodings, version 1.0.0: for each quantized tensor its width, scales and offsets, value
 * = (code + offset) * scale with codes from 0 on. Tensors without an entry are not quantized.
 */
final class AimetEncodings {
  private static final String PARAMS = "param_encodings";
  private static final String ACTIVATIONS = "activation_encodings";

  private AimetEncodings() {}

  static byte[] write(List<Encoding> encodings) {
    ObjectNode document = Json.object().put("version", "1.0.0");
    ArrayNode activations = document.putArray(ACTIVATIONS);
    ArrayNode params = document.putArray(PARAMS);
    for (Encoding encoding : encodings) {
      ObjectNode entry = (encoding.weights() ? params : activations).addObject();
      entry
          .put("name", encoding.name())
          .put("enc_type", encoding.axis().isPresent() ? "PER_CHANNEL" : "PER_TENSOR")
          .put("dtype", "INT")
          .put("bw", encoding.bits())
          .put("is_sym", encoding.symmetric());
      ArrayNode scales = entry.putArray("scale");
      ArrayNode offsets = entry.putArray("offset");
      for (float scale : encoding.scales()) {
        scales.add(scale);
        offsets.add(encoding.symmetric() ? -(1 << (encoding.bits() - 1)) : encoding.lowest());
      }
    }
    return Json.bytes(document);
  }

  /**
   * What a document of encodings says.
   *
   * @param axisOf where the outputs of a weight tensor lie, which the document does not say
   */
  static List<Encoding> read(byte[] json, java.util.function.ToIntFunction<String> axisOf) {
    JsonNode document = Json.tree(json);
    List<Encoding> encodings = new ArrayList<>();
    for (String list : List.of(ACTIVATIONS, PARAMS)) {
      for (JsonNode entry : document.path(list)) {
        String name = entry.get("name").asText();
        List<Float> scales = new ArrayList<>();
        entry.get("scale").forEach(scale -> scales.add(scale.floatValue()));
        int bits = entry.get("bw").intValue();
        int lowest = entry.get("offset").get(0).intValue();
        encodings.add(
            new Encoding(
                name,
                "",
                scales,
                entry.get("enc_type").asText().equals("PER_CHANNEL")
                    ? Optional.of(axisOf.applyAsInt(name))
                    : Optional.empty(),
                lowest,
                lowest + (1 << bits) - 1,
                bits,
                list.equals(PARAMS)));
      }
    }
    return encodings;
  }
}
