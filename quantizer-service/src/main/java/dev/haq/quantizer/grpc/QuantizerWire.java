package dev.haq.quantizer.grpc;

import dev.haq.model.HaqException;
import dev.haq.proto.quantizer.v1.Dataset;
import dev.haq.proto.quantizer.v1.EvaluateResponse;
import dev.haq.proto.quantizer.v1.ExportRequest;
import dev.haq.proto.quantizer.v1.Model;
import dev.haq.quantizer.data.DatasetInfo;
import dev.haq.quantizer.eval.Evaluation;
import dev.haq.quantizer.export.ExportFormat;
import dev.haq.quantizer.models.ModelDescription;
import dev.haq.quantizer.models.StoredModel;
import dev.haq.wire.DataWire;
import dev.haq.wire.TimeWire;
import java.util.List;

/** What the quantizer answers about data and policies, as messages. */
final class QuantizerWire {
  /** Files are called after models, and lists show them. */
  private static final int LONGEST_NAME = 200;

  private QuantizerWire() {}

  /**
   * A name as it is kept; empty where none is given.
   *
   * @throws HaqException INVALID_ARGUMENT when it is too long
   */
  static String name(String given) {
    String name = given.strip();
    int length = name.codePointCount(0, name.length());
    if (length > LONGEST_NAME) {
      throw HaqException.invalid(
          "the name '%.40s...' has %d characters: use at most %d", name, length, LONGEST_NAME);
    }
    return name;
  }

  /** A model in a list: without its layers where these alone are more than a page may have. */
  static Model listed(StoredModel stored) {
    Model model = ModelDescription.toProto(stored);
    if (model.getSerializedSize() <= Listing.MOST_BYTES) {
      return model;
    }
    Model.Builder bare = model.toBuilder();
    bare.getNetworkBuilder().clearLayers();
    return bare.build();
  }

  static Dataset toProto(DatasetInfo dataset) {
    Dataset.Builder message =
        Dataset.newBuilder()
            .setId(dataset.id())
            .setName(dataset.name())
            .setImages(dataset.images())
            .setClasses(dataset.classes())
            .setFormat(dataset.format().label())
            .setSizeBytes(dataset.sizeBytes())
            .addAllNotes(dataset.notes())
            .setCreateTime(TimeWire.toProto(dataset.created()));
    dataset.preprocessing().ifPresent(p -> message.setPreprocessing(DataWire.toProto(p)));
    return message.build();
  }

  static EvaluateResponse toProto(Evaluation evaluation) {
    EvaluateResponse.Builder message =
        EvaluateResponse.newBuilder()
            .setAccuracy(DataWire.toProto(evaluation.accuracy()))
            .setSeconds(evaluation.seconds())
            .setPreparationSeconds(evaluation.preparationSeconds())
            .setCached(evaluation.cached());
    evaluation.floatSeconds().ifPresent(message::setFloatSeconds);
    return message.build();
  }

  static ExportFormat fromProto(ExportRequest.Format format) {
    return switch (format) {
      case ONNX_QCDQ -> ExportFormat.ONNX_QCDQ;
      case ONNX_INT4 -> ExportFormat.ONNX_INT4;
      case QONNX -> ExportFormat.QONNX;
      case AIMET -> ExportFormat.AIMET;
      case ORT_TENSOR_QUANT_OVERRIDES -> ExportFormat.ORT_TENSOR_QUANT_OVERRIDES;
      case POLICY_JSON -> ExportFormat.POLICY_JSON;
      case POLICY_CSV -> ExportFormat.POLICY_CSV;
      case FORMAT_UNSPECIFIED, UNRECOGNIZED ->
          throw HaqException.invalid(
              "format is missing: use one of %s", List.of(ExportFormat.values()));
    };
  }
}
