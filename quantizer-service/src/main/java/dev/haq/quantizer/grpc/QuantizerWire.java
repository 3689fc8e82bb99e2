package dev.haq.quantizer.grpc;

import com.google.protobuf.Timestamp;
import dev.haq.proto.quantizer.v1.Dataset;
import dev.haq.proto.quantizer.v1.EvaluateResponse;
import dev.haq.proto.quantizer.v1.Model;
import dev.haq.quantizer.data.DatasetInfo;
import dev.haq.quantizer.eval.Evaluation;
import dev.haq.quantizer.onnx.ImportedModel;
import dev.haq.quantizer.onnx.StoredModel;
import dev.haq.wire.DataWire;
import dev.haq.wire.NetworkWire;
import java.time.Instant;

/** What the quantizer answers, as messages. */
final class QuantizerWire {
  private QuantizerWire() {}

  static Model toProto(StoredModel stored) {
    ImportedModel model = stored.model();
    return Model.newBuilder()
        .setId(model.id())
        .setName(stored.name())
        .setNetwork(NetworkWire.toProto(model.network()))
        .setClasses(model.graph().classes())
        .addAllInputShape(model.graph().inputShape())
        .setSizeBytes(model.sizeBytes())
        .setCreateTime(toProto(stored.created()))
        .build();
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
            .setCreateTime(toProto(dataset.created()));
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

  private static Timestamp toProto(Instant time) {
    return Timestamp.newBuilder()
        .setSeconds(time.getEpochSecond())
        .setNanos(time.getNano())
        .build();
  }
}
