package dev.haq.quantizer.grpc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.haq.model.Accuracy;
import dev.haq.model.LayerBits;
import dev.haq.model.Policy;
import dev.haq.model.Reason;
import dev.haq.proto.model.v1.BitChoices;
import dev.haq.proto.model.v1.DataSelection;
import dev.haq.proto.quantizer.v1.EvaluateRequest;
import dev.haq.proto.quantizer.v1.EvaluateResponse;
import dev.haq.proto.quantizer.v1.MeasureSensitivityRequest;
import dev.haq.proto.quantizer.v1.MeasureSensitivityResponse;
import dev.haq.proto.quantizer.v1.Model;
import dev.haq.proto.quantizer.v1.SensitivityEntry;
import dev.haq.proto.quantizer.v1.Shard;
import dev.haq.quantizer.builtin.BuiltinShapes;
import dev.haq.wire.BitsWire;
import dev.haq.wire.DataWire;
import dev.haq.wire.NetworkWire;
import io.grpc.Status;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Two quantizers over one data folder, and one of the same kind that knows nothing. */
@Timeout(120)
final class ReplicasTest {
  private static final int IMAGES = 200;

  @TempDir static Path shared;
  @TempDir static Path other;
  private static RunningQuantizer one;
  private static RunningQuantizer two;
  private static RunningQuantizer fresh;
  private static EvaluateRequest request;

  @BeforeAll
  static void start() {
    one = new RunningQuantizer(shared);
    two = new RunningQuantizer(shared);
    fresh = new RunningQuantizer(other);
    Model model = one.importModel(BuiltinShapes.model());
    assertEquals(model.getId(), fresh.importModel(BuiltinShapes.model()).getId());
    Policy mixed =
        Policy.uniform(model.getNetwork().getLayersCount(), LayerBits.of(4, 5))
            .with(3, LayerBits.of(3, 8))
            .with(7, LayerBits.of(8, 4));
    request =
        EvaluateRequest.newBuilder()
            .setModel(model.getId())
            .setData(data(IMAGES))
            .setPolicy(BitsWire.toProto(mixed, NetworkWire.fromProto(model.getNetwork())))
            .setMeasureDivergence(true)
            .build();
  }

  @AfterAll
  static void stop() {
    Stream.of(one, two, fresh).forEach(RunningQuantizer::close);
  }

  private static DataSelection data(int images) {
    return DataSelection.newBuilder()
        .setDataset(BuiltinShapes.ID)
        .setSplit(DataSelection.Split.SEARCH)
        .setMaxImages(images)
        .build();
  }

  private static EvaluateRequest part(int index, int count) {
    return request.toBuilder().setShard(Shard.newBuilder().setIndex(index).setCount(count)).build();
  }

  private static Accuracy accuracy(EvaluateResponse answer) {
    return DataWire.fromProto(answer.getAccuracy());
  }

  @Test
  void theSameRequestHasTheSameAnswerOnOneAndOnTwoReplicasShardedAndNot() {
    Accuracy whole = accuracy(fresh.stub().evaluate(request));
    assertEquals(IMAGES, whole.images());
    assertTrue(whole.klDivergenceSum().orElseThrow() > 0);
    assertEquals(whole, accuracy(fresh.stub().evaluate(request)), "again");
    // First parts of which neither replica knows anything, then the whole of which each knows some.
    for (int count : new int[] {2, 5, 3, 40}) {
      Accuracy sum = Accuracy.NONE.withKlDivergence(java.util.OptionalDouble.of(0));
      for (int i = 0; i < count; i++) {
        RunningQuantizer replica = i % 2 == 0 ? one : two;
        sum = sum.plus(accuracy(replica.stub().evaluate(part(i, count))));
      }
      assertEquals(whole, sum);
    }
    assertEquals(whole, accuracy(one.stub().evaluate(request)));
    assertEquals(whole, accuracy(two.stub().evaluate(request)));
  }

  @Test
  void aShardThatDoesNotExistIsRefused() {
    RunningQuantizer.refused(
        Status.Code.INVALID_ARGUMENT,
        Reason.INVALID_ARGUMENT,
        () -> one.stub().evaluate(part(2, 2)));
  }

  @Test
  void whatOneReplicaMeasuredTheOtherKnowsAndAThirdMeasuresTheSame() {
    MeasureSensitivityRequest measure =
        MeasureSensitivityRequest.newBuilder()
            .setModel(request.getModel())
            .setData(data(40))
            .setWeightBits(BitChoices.newBuilder().addBits(2).addBits(4))
            .setActivationBits(BitChoices.newBuilder().addBits(4))
            .build();
    List<SensitivityEntry> first = entries(one.stub().measureSensitivity(measure));
    List<SensitivityEntry> second = entries(two.stub().measureSensitivity(measure));
    List<SensitivityEntry> third = entries(fresh.stub().measureSensitivity(measure));
    assertEquals(3 * request.getPolicy().getLayersCount(), first.size());
    assertTrue(first.stream().noneMatch(SensitivityEntry::getCached));
    assertTrue(second.stream().allMatch(SensitivityEntry::getCached));
    assertEquals(bare(first), bare(second));
    assertEquals(bare(first), bare(third));
  }

  private static List<SensitivityEntry> entries(Iterator<MeasureSensitivityResponse> parts) {
    int announced = parts.next().getStart().getEntries();
    List<SensitivityEntry> entries = new ArrayList<>();
    parts.forEachRemaining(part -> entries.add(part.getEntry()));
    assertEquals(announced, entries.size());
    assertFalse(entries.isEmpty());
    return entries;
  }

  /** Without what depends on the call. */
  private static List<SensitivityEntry> bare(List<SensitivityEntry> entries) {
    return entries.stream()
        .map(entry -> entry.toBuilder().clearCached().clearSecondsLeft().build())
        .toList();
  }
}
