package dev.haq.agent.grpc;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.util.JsonFormat;
import dev.haq.agent.agents.Agents;
import dev.haq.agent.ddpg.DdpgSettings;
import dev.haq.agent.search.LayerWidths;
import dev.haq.agent.search.Pinning;
import dev.haq.agent.search.Reward;
import dev.haq.agent.session.SessionLimits;
import dev.haq.agent.session.SessionSpec;
import dev.haq.agent.session.SpecCodec;
import dev.haq.model.BitChoices;
import dev.haq.model.HaqException;
import dev.haq.proto.agent.v1.EarlyEnds;
import dev.haq.wire.BitsWire;
import dev.haq.wire.CostWire;
import dev.haq.wire.DataWire;
import dev.haq.wire.RecipeWire;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.function.Supplier;

/** Session specifications: as messages, and as the JSON of these that a store keeps. */
public final class SpecWire implements SpecCodec {
  private static final JsonFormat.Printer PRINTER =
      JsonFormat.printer().preservingProtoFieldNames().omittingInsignificantWhitespace();
  private static final JsonFormat.Parser PARSER = JsonFormat.parser().ignoringUnknownFields();

  @Override
  public String encode(SessionSpec spec) {
    try {
      return PRINTER.print(toProto(spec));
    } catch (InvalidProtocolBufferException e) {
      throw new IllegalStateException("a session spec has no JSON form", e);
    }
  }

  @Override
  public SessionSpec decode(String text) {
    return fromProto(parse(text));
  }

  /** The message that was stored. */
  static dev.haq.proto.agent.v1.SessionSpec parse(String text) {
    dev.haq.proto.agent.v1.SessionSpec.Builder message =
        dev.haq.proto.agent.v1.SessionSpec.newBuilder();
    try {
      PARSER.merge(text, message);
    } catch (InvalidProtocolBufferException e) {
      throw new IllegalStateException("a stored session spec cannot be read: " + e.getMessage(), e);
    }
    return message.build();
  }

  static dev.haq.proto.agent.v1.SessionSpec toProto(SessionSpec spec) {
    dev.haq.proto.agent.v1.SessionSpec.Builder message =
        dev.haq.proto.agent.v1.SessionSpec.newBuilder()
            .setName(spec.name())
            .setModel(spec.model())
            .setData(DataWire.toProto(spec.data()))
            .setTarget(TargetWire.toProto(spec.target()))
            .setBudget(CostWire.toProto(spec.mainBudget()))
            .setAgent(spec.agent())
            .setEpisodes(spec.limits().episodes())
            .setSeed(spec.seed())
            .setRecipe(RecipeWire.toProto(spec.recipe()))
            .setSearchFirstAndLast(spec.pinning() == Pinning.IMAGE)
            .setDdpg(toProto(spec.ddpg()))
            .setReward(toProto(spec.reward()))
            .setParallelEpisodes(spec.pace().parallelEpisodes())
            .setLearnWhileEvaluating(spec.pace().learnWhileEvaluating());
    spec.budgets().stream()
        .skip(1)
        .forEach(budget -> message.addFurtherBudgets(CostWire.toProto(budget)));
    spec.furtherTargets().forEach(t -> message.addFurtherTargets(TargetWire.toProto(t)));
    if (!spec.limits().equals(SessionLimits.episodes(spec.limits().episodes()))) {
      message.setEarlyEnds(earlyEnds(spec.limits()));
    }
    spec.weightBits().ifPresent(bits -> message.setWeightBits(BitsWire.toProto(bits)));
    spec.activationBits().ifPresent(bits -> message.setActivationBits(BitsWire.toProto(bits)));
    spec.layerWidths().forEach(own -> message.addLayerWidths(toProto(own)));
    spec.finalFineTuning()
        .ifPresent(tuning -> message.setFinalFineTuning(RecipeWire.toProto(tuning)));
    return message.build();
  }

  /** Fills in every default; a message names the field that is wrong. */
  static SessionSpec fromProto(dev.haq.proto.agent.v1.SessionSpec message) {
    int episodes =
        message.getEpisodes() == 0 ? SessionSpec.DEFAULT_EPISODES : message.getEpisodes();
    String agent = message.getAgent().isEmpty() ? Agents.AUTO : message.getAgent();
    List<SessionSpec.Target> targets = TargetWire.fromProto(message);
    return new SessionSpec(
        message.getName(),
        message.getModel(),
        field("spec.data", () -> DataWire.fromProto(message.getData())),
        targets.get(0).handle(),
        targets.get(0).budgets(),
        agent,
        within("spec.", () -> limits(episodes, message.getEarlyEnds())),
        message.getSeed(),
        field("spec.recipe", () -> RecipeWire.fromProto(message.getRecipe())),
        choices("spec.weight_bits", message.hasWeightBits(), message.getWeightBits()),
        choices("spec.activation_bits", message.hasActivationBits(), message.getActivationBits()),
        message.getSearchFirstAndLast() ? Pinning.IMAGE : Pinning.FIRST_AND_LAST,
        message.getLayerWidthsList().stream().map(SpecWire::fromProto).toList(),
        field("spec.ddpg", () -> fromProto(message.getDdpg(), episodes, agents(targets.size()))),
        reward(message.getReward(), agent),
        new SessionSpec.Pace(
            message.getParallelEpisodes() == 0 ? 1 : message.getParallelEpisodes(),
            message.getLearnWhileEvaluating()),
        targets.subList(1, targets.size()),
        message.hasFinalFineTuning()
            ? Optional.of(
                field(
                    "spec.final_fine_tuning",
                    () -> RecipeWire.fromProto(message.getFinalFineTuning())))
            : Optional.empty());
  }

  /** Several targets have one each, and the fleet another. */
  private static int agents(int targets) {
    return targets == 1 ? 1 : targets + 1;
  }

  /** The paper's agent has the paper's reward; {@code auto} the one that over-fits least. */
  private static Reward reward(dev.haq.proto.agent.v1.Reward message, String agent) {
    return switch (message) {
      case REWARD_UNSPECIFIED -> agent.equals(Agents.AUTO) ? Reward.KL_DIVERGENCE : Reward.ACCURACY;
      case ACCURACY -> Reward.ACCURACY;
      case CROSS_ENTROPY -> Reward.CROSS_ENTROPY;
      case KL_DIVERGENCE -> Reward.KL_DIVERGENCE;
      case UNRECOGNIZED ->
          throw HaqException.invalid(
              "spec.reward is unknown: use ACCURACY, CROSS_ENTROPY or KL_DIVERGENCE");
    };
  }

  private static dev.haq.proto.agent.v1.Reward toProto(Reward reward) {
    return switch (reward) {
      case ACCURACY -> dev.haq.proto.agent.v1.Reward.ACCURACY;
      case CROSS_ENTROPY -> dev.haq.proto.agent.v1.Reward.CROSS_ENTROPY;
      case KL_DIVERGENCE -> dev.haq.proto.agent.v1.Reward.KL_DIVERGENCE;
    };
  }

  static EarlyEnds earlyEnds(SessionLimits limits) {
    EarlyEnds.Builder message = EarlyEnds.newBuilder();
    limits.wallSeconds().ifPresent(message::setWallSeconds);
    limits.episodesWithoutImprovement().ifPresent(message::setEpisodesWithoutImprovement);
    limits.top1().ifPresent(message::setTop1);
    return message.build();
  }

  static SessionLimits limits(int episodes, EarlyEnds ends) {
    return new SessionLimits(
        episodes,
        ends.hasWallSeconds() ? OptionalDouble.of(ends.getWallSeconds()) : OptionalDouble.empty(),
        ends.hasEpisodesWithoutImprovement()
            ? OptionalInt.of(ends.getEpisodesWithoutImprovement())
            : OptionalInt.empty(),
        ends.hasTop1() ? OptionalDouble.of(ends.getTop1()) : OptionalDouble.empty());
  }

  private static Optional<BitChoices> choices(
      String name, boolean present, dev.haq.proto.model.v1.BitChoices message) {
    return present ? Optional.of(field(name, () -> BitsWire.fromProto(message))) : Optional.empty();
  }

  private static LayerWidths fromProto(dev.haq.proto.agent.v1.LayerWidths message) {
    return field(
        "spec.layer_widths",
        () ->
            new LayerWidths(
                message.getLayer(),
                choices("weight_bits", message.hasWeightBits(), message.getWeightBits()),
                choices(
                    "activation_bits", message.hasActivationBits(), message.getActivationBits())));
  }

  private static dev.haq.proto.agent.v1.LayerWidths toProto(LayerWidths own) {
    dev.haq.proto.agent.v1.LayerWidths.Builder message =
        dev.haq.proto.agent.v1.LayerWidths.newBuilder().setLayer(own.layer());
    own.weightBits().ifPresent(bits -> message.setWeightBits(BitsWire.toProto(bits)));
    own.activationBits().ifPresent(bits -> message.setActivationBits(BitsWire.toProto(bits)));
    return message.build();
  }

  private static dev.haq.proto.agent.v1.DdpgSettings toProto(DdpgSettings ddpg) {
    return dev.haq.proto.agent.v1.DdpgSettings.newBuilder()
        .setHidden1(ddpg.hidden1())
        .setHidden2(ddpg.hidden2())
        .setActorLearningRate(ddpg.actorLearningRate())
        .setCriticLearningRate(ddpg.criticLearningRate())
        .setTau(ddpg.tau())
        .setGamma(ddpg.gamma())
        .setBatchSize(ddpg.batchSize())
        .setReplayPerDecision(ddpg.replayPerDecision())
        .setWarmupEpisodes(ddpg.warmupEpisodes())
        .setNoiseSigma(ddpg.noiseSigma())
        .setNoiseDecay(ddpg.noiseDecay())
        .setUpdatesPerTransition(ddpg.updatesPerTransition())
        .setBaselineDecay(ddpg.baselineDecay())
        .build();
  }

  /**
   * @param episodes of the session, of which each agent has its share
   */
  private static DdpgSettings fromProto(
      dev.haq.proto.agent.v1.DdpgSettings m, int episodes, int agents) {
    DdpgSettings d = DdpgSettings.DEFAULTS;
    int warmupEpisodes =
        m.hasWarmupEpisodes() ? m.getWarmupEpisodes() : Math.max(1, d.warmupEpisodes() / agents);
    return new DdpgSettings(
        m.hasHidden1() ? m.getHidden1() : d.hidden1(),
        m.hasHidden2() ? m.getHidden2() : d.hidden2(),
        m.hasActorLearningRate() ? m.getActorLearningRate() : d.actorLearningRate(),
        m.hasCriticLearningRate() ? m.getCriticLearningRate() : d.criticLearningRate(),
        m.hasTau() ? m.getTau() : d.tau(),
        m.hasGamma() ? m.getGamma() : d.gamma(),
        m.hasBatchSize() ? m.getBatchSize() : d.batchSize(),
        m.hasReplayPerDecision() ? m.getReplayPerDecision() : d.replayPerDecision(),
        warmupEpisodes,
        m.hasNoiseSigma() ? m.getNoiseSigma() : d.noiseSigma(),
        m.hasNoiseDecay()
            ? m.getNoiseDecay()
            : DdpgSettings.noiseDecay(episodes / agents, warmupEpisodes),
        m.hasUpdatesPerTransition() ? m.getUpdatesPerTransition() : d.updatesPerTransition(),
        m.hasBaselineDecay() ? m.getBaselineDecay() : d.baselineDecay());
  }

  static <T> T field(String name, Supplier<T> conversion) {
    return within(name + ": ", conversion);
  }

  private static <T> T within(String prefix, Supplier<T> conversion) {
    try {
      return conversion.get();
    } catch (HaqException e) {
      throw new HaqException(e.reason(), prefix + e.getMessage(), e.details(), e);
    }
  }
}
