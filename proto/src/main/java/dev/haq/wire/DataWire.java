package dev.haq.wire;

import dev.haq.model.Accuracy;
import dev.haq.model.DataSelection;
import dev.haq.model.HaqException;
import dev.haq.model.Preprocessing;
import dev.haq.model.Shard;
import java.util.Optional;
import java.util.OptionalDouble;

/** Data selections, their shards, preprocessing and accuracies. */
public final class DataWire {
  private DataWire() {}

  public static dev.haq.proto.model.v1.Preprocessing toProto(Preprocessing preprocessing) {
    return dev.haq.proto.model.v1.Preprocessing.newBuilder()
        .setResizeShortSide(preprocessing.resizeShortSide())
        .setCrop(preprocessing.cropHeight())
        .setCropWidth(
            preprocessing.cropWidth() == preprocessing.cropHeight() ? 0 : preprocessing.cropWidth())
        .addAllMean(preprocessing.mean())
        .addAllStd(preprocessing.std())
        .setChannels(
            switch (preprocessing.channels()) {
              case RGB -> dev.haq.proto.model.v1.Preprocessing.ChannelOrder.RGB;
              case BGR -> dev.haq.proto.model.v1.Preprocessing.ChannelOrder.BGR;
            })
        .build();
  }

  public static Preprocessing fromProto(dev.haq.proto.model.v1.Preprocessing message) {
    return new Preprocessing(
        message.getResizeShortSide(),
        message.getCrop(),
        message.getCropWidth() == 0 ? message.getCrop() : message.getCropWidth(),
        message.getMeanList(),
        message.getStdList(),
        switch (message.getChannels()) {
          case RGB -> Preprocessing.ChannelOrder.RGB;
          case BGR -> Preprocessing.ChannelOrder.BGR;
          case UNRECOGNIZED ->
              throw HaqException.invalid("preprocessing.channels must be RGB or BGR");
        });
  }

  public static dev.haq.proto.model.v1.DataSelection toProto(DataSelection data) {
    dev.haq.proto.model.v1.DataSelection.Builder message =
        dev.haq.proto.model.v1.DataSelection.newBuilder()
            .setDataset(data.datasetId())
            .setSplit(
                switch (data.split()) {
                  case ALL -> dev.haq.proto.model.v1.DataSelection.Split.ALL;
                  case CALIBRATION -> dev.haq.proto.model.v1.DataSelection.Split.CALIBRATION;
                  case SEARCH -> dev.haq.proto.model.v1.DataSelection.Split.SEARCH;
                  case HELD_OUT -> dev.haq.proto.model.v1.DataSelection.Split.HELD_OUT;
                })
            .setMaxImages(data.maxImages())
            .setCalibrationImages(data.calibrationImages())
            .setSplitSeed(data.splitSeed())
            .setHeldOutFraction(data.heldOutFraction());
    data.preprocessing().ifPresent(p -> message.setPreprocessing(toProto(p)));
    return message.build();
  }

  public static DataSelection fromProto(dev.haq.proto.model.v1.DataSelection message) {
    return new DataSelection(
        message.getDataset(),
        message.hasPreprocessing()
            ? Optional.of(fromProto(message.getPreprocessing()))
            : Optional.empty(),
        switch (message.getSplit()) {
          case ALL -> DataSelection.Split.ALL;
          case CALIBRATION -> DataSelection.Split.CALIBRATION;
          case SEARCH -> DataSelection.Split.SEARCH;
          case HELD_OUT -> DataSelection.Split.HELD_OUT;
          case UNRECOGNIZED ->
              throw HaqException.invalid("data.split must be ALL, CALIBRATION, SEARCH or HELD_OUT");
        },
        message.getMaxImages(),
        message.getCalibrationImages() == 0
            ? DataSelection.DEFAULT_CALIBRATION_IMAGES
            : message.getCalibrationImages(),
        message.getSplitSeed(),
        message.hasHeldOutFraction()
            ? message.getHeldOutFraction()
            : DataSelection.DEFAULT_HELD_OUT_FRACTION);
  }

  public static dev.haq.proto.quantizer.v1.Shard toProto(Shard shard) {
    return dev.haq.proto.quantizer.v1.Shard.newBuilder()
        .setIndex(shard.index())
        .setCount(shard.count())
        .build();
  }

  public static Shard fromProto(dev.haq.proto.quantizer.v1.Shard message) {
    return new Shard(message.getIndex(), message.getCount());
  }

  public static dev.haq.proto.model.v1.Accuracy toProto(Accuracy accuracy) {
    dev.haq.proto.model.v1.Accuracy.Builder message =
        dev.haq.proto.model.v1.Accuracy.newBuilder()
            .setImages(accuracy.images())
            .setTop1Correct(accuracy.top1Correct())
            .setTop5Correct(accuracy.top5Correct())
            .setCrossEntropySum(accuracy.crossEntropySum())
            .setTop1(accuracy.top1())
            .setTop5(accuracy.top5())
            .setCrossEntropy(accuracy.crossEntropy());
    accuracy
        .klDivergenceSum()
        .ifPresent(
            sum ->
                message
                    .setKlDivergenceSum(sum)
                    .setKlDivergence(accuracy.klDivergence().orElseThrow()));
    return message.build();
  }

  public static Accuracy fromProto(dev.haq.proto.model.v1.Accuracy message) {
    return new Accuracy(
        message.getImages(),
        message.getTop1Correct(),
        message.getTop5Correct(),
        message.getCrossEntropySum(),
        message.hasKlDivergenceSum()
            ? OptionalDouble.of(message.getKlDivergenceSum())
            : OptionalDouble.empty());
  }
}
