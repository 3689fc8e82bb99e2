package dev.haq.quantizer.export;

/** The files there are. */
public enum ExportFormat {
  /** QuantizeLinear, Clip, DequantizeLinear. */
  ONNX_QCDQ(".qcdq.onnx", ExportFormat.BINARY),
  /** Weights as INT4 or INT8. */
  ONNX_INT4(".int4.onnx", ExportFormat.BINARY),
  /** QONNX's Quant operators. */
  QONNX(".qonnx.onnx", ExportFormat.BINARY),
  /** A zip of a float model and AIMET encodings. */
  AIMET(".aimet.zip", ExportFormat.ZIP),
  /** A zip of a float model, ONNX Runtime TensorQuantOverrides and a loader. */
  ORT_TENSOR_QUANT_OVERRIDES(".ort-overrides.zip", ExportFormat.ZIP),
  POLICY_JSON(".policy.json", "application/json"),
  POLICY_CSV(".policy.csv", "text/csv; charset=utf-8");

  private static final String BINARY = "application/octet-stream";
  private static final String ZIP = "application/zip";

  private final String suffix;
  private final String mediaType;

  ExportFormat(String suffix, String mediaType) {
    this.suffix = suffix;
    this.mediaType = mediaType;
  }

  /** What a file's name ends with. */
  public String suffix() {
    return suffix;
  }

  public String mediaType() {
    return mediaType;
  }
}
