package dev.haq.wire;

import dev.haq.model.HaqException;
import dev.haq.proto.quantizer.v1.ExportRequest;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/** What people call export formats, on the command line and in URLs. */
public final class ExportNames {
  private static final Map<ExportRequest.Format, String> NAMES =
      new EnumMap<>(
          Map.of(
              ExportRequest.Format.ONNX_QCDQ, "onnx",
              ExportRequest.Format.ONNX_INT4, "onnx-int4",
              ExportRequest.Format.QONNX, "qonnx",
              ExportRequest.Format.AIMET, "aimet",
              ExportRequest.Format.ORT_TENSOR_QUANT_OVERRIDES, "ort-overrides",
              ExportRequest.Format.POLICY_JSON, "json",
              ExportRequest.Format.POLICY_CSV, "csv"));

  private ExportNames() {}

  /** All names, in the order of the formats. */
  public static List<String> all() {
    return List.copyOf(NAMES.values());
  }

  /** The format of this name, or of its name in the contract. */
  public static ExportRequest.Format parse(String name) {
    for (Map.Entry<ExportRequest.Format, String> entry : NAMES.entrySet()) {
      if (entry.getValue().equalsIgnoreCase(name) || entry.getKey().name().equals(name)) {
        return entry.getKey();
      }
    }
    throw HaqException.invalid(
        "there is no export format '%s': use one of %s", name, String.join(", ", all()));
  }
}
