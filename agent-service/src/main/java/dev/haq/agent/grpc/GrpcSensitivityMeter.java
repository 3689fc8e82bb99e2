package dev.haq.agent.grpc;

import dev.haq.agent.search.Decision;
import dev.haq.agent.search.Sensitivities;
import dev.haq.agent.search.SensitivityMeter;
import dev.haq.agent.session.Preparation;
import dev.haq.agent.session.SessionSpec;
import dev.haq.model.Accuracy;
import dev.haq.model.BitChoices;
import dev.haq.model.BitWidth;
import dev.haq.model.DataSelection;
import dev.haq.model.HaqException;
import dev.haq.model.Network;
import dev.haq.model.Operand;
import dev.haq.model.Reason;
import dev.haq.proto.quantizer.v1.MeasureSensitivityRequest;
import dev.haq.proto.quantizer.v1.MeasureSensitivityResponse;
import dev.haq.proto.quantizer.v1.QuantizerGrpc.QuantizerBlockingStub;
import dev.haq.proto.quantizer.v1.SensitivityEntry;
import dev.haq.wire.BitsWire;
import dev.haq.wire.DataWire;
import dev.haq.wire.RecipeWire;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;

/** The quantizer's sensitivities behind the search's port. */
final class GrpcSensitivityMeter implements SensitivityMeter {
  /**
   * Enough: a divergence is a mean over images of a smooth quantity, and what it is wrong about the
   * episodes correct; each width of each layer is an evaluation. On ResNet-20 at a quarter of the
   * latency, dp found the same policy with 128 as with 256 images, and a worse one with 64.
   */
  private static final int MOST_IMAGES = 128;

  private final QuantizerBlockingStub quantizer;
  private final PatientCalls calls;
  private final SessionSpec spec;
  private final Consumer<Preparation> progress;
  private final Map<String, Integer> layers = new HashMap<>();

  GrpcSensitivityMeter(
      QuantizerBlockingStub quantizer,
      PatientCalls calls,
      SessionSpec spec,
      Network network,
      Consumer<Preparation> progress) {
    this.quantizer = quantizer;
    this.calls = calls;
    this.spec = spec;
    this.progress = progress;
    for (int layer = 0; layer < network.size(); layer++) {
      layers.put(network.layer(layer).name(), layer);
    }
  }

  @Override
  public Sensitivities measure(BitChoices weights, BitChoices activations) {
    MeasureSensitivityRequest request =
        MeasureSensitivityRequest.newBuilder()
            .setModel(spec.model())
            .setData(DataWire.toProto(some(spec.data())))
            .setRecipe(RecipeWire.toProto(spec.recipe()))
            .setWeightBits(BitsWire.toProto(weights))
            .setActivationBits(BitsWire.toProto(activations))
            .build();
    AtomicInteger done = new AtomicInteger();
    List<MeasureSensitivityResponse> answers =
        calls.call(GrpcBackends.QUANTIZER, done::get, () -> all(request, done));
    Map<Sensitivities.Entry, Accuracy> entries = new HashMap<>();
    for (MeasureSensitivityResponse answer : answers) {
      if (answer.hasEntry()) {
        SensitivityEntry entry = answer.getEntry();
        entries.put(key(entry), DataWire.fromProto(entry.getAccuracy()));
      }
    }
    return answers.stream()
        .filter(MeasureSensitivityResponse::hasStart)
        .findFirst()
        .map(start -> DataWire.fromProto(start.getStart().getBaseline()))
        .map(baseline -> new Sensitivities(baseline, entries))
        .orElseThrow(
            () ->
                new HaqException(
                    Reason.INTERNAL, "the quantizer sent sensitivities without a baseline"));
  }

  private static DataSelection some(DataSelection data) {
    boolean few = data.maxImages() > 0 && data.maxImages() <= MOST_IMAGES;
    return few ? data : data.withMaxImages(MOST_IMAGES);
  }

  /** What was measured before is known to the quantizer, and sent again at once. */
  private List<MeasureSensitivityResponse> all(
      MeasureSensitivityRequest request, AtomicInteger done) {
    List<MeasureSensitivityResponse> answers = new ArrayList<>();
    int entries = 0;
    Iterator<MeasureSensitivityResponse> parts = quantizer.measureSensitivity(request);
    while (parts.hasNext()) {
      MeasureSensitivityResponse part = parts.next();
      answers.add(part);
      entries = part.hasStart() ? part.getStart().getEntries() : entries;
      if (part.hasEntry()) {
        SensitivityEntry entry = part.getEntry();
        done.accumulateAndGet(entry.getDone(), Math::max);
        progress.accept(new Preparation(entry.getDone(), entries, entry.getSecondsLeft()));
      }
    }
    return answers;
  }

  private Sensitivities.Entry key(SensitivityEntry entry) {
    Integer layer = layers.get(entry.getLayer());
    if (layer == null) {
      throw new HaqException(
          Reason.INTERNAL,
          "the quantizer measured layer '" + entry.getLayer() + "', which the model does not have");
    }
    return new Sensitivities.Entry(
        new Decision(layer, operand(entry.getOperand())), BitWidth.of(entry.getBits()));
  }

  private static Operand operand(dev.haq.proto.model.v1.Operand operand) {
    return switch (operand) {
      case WEIGHTS -> Operand.WEIGHTS;
      case ACTIVATIONS -> Operand.ACTIVATIONS;
      case OPERAND_UNSPECIFIED, UNRECOGNIZED ->
          throw new HaqException(Reason.INTERNAL, "the quantizer sent an entry without operand");
    };
  }
}
