package dev.haq.agent.grpc;

import dev.haq.agent.search.BudgetLimit;
import dev.haq.agent.search.EpisodeResult;
import dev.haq.agent.session.Fleet;
import dev.haq.agent.session.Preparation;
import dev.haq.agent.session.SessionLimits;
import dev.haq.agent.session.SessionRecord;
import dev.haq.agent.session.SessionService;
import dev.haq.agent.session.SessionState;
import dev.haq.agent.session.TuningProgress;
import dev.haq.model.FineTuning;
import dev.haq.model.Recipe;
import dev.haq.proto.agent.v1.EndReason;
import dev.haq.proto.agent.v1.Episode;
import dev.haq.proto.agent.v1.EpisodeCost;
import dev.haq.proto.agent.v1.FleetResult;
import dev.haq.proto.agent.v1.Session;
import dev.haq.proto.agent.v1.SessionSpec;
import dev.haq.proto.agent.v1.TargetBudget;
import dev.haq.proto.agent.v1.TargetResult;
import dev.haq.proto.agent.v1.Tuned;
import dev.haq.proto.model.v1.Resource;
import dev.haq.proto.quantizer.v1.FineTuneProgress;
import dev.haq.wire.BitsWire;
import dev.haq.wire.CostWire;
import dev.haq.wire.DataWire;
import dev.haq.wire.RecipeWire;
import dev.haq.wire.TimeWire;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.stream.IntStream;

/** Sessions and their episodes as messages. They only go out: callers send specifications. */
final class SessionWire {
  private final SessionSpec spec;
  private final List<String> layers;
  private final Fleet fleet;

  /** The messages of one session. */
  SessionWire(SessionRecord session) {
    this(session, SpecWire.parse(session.definition().spec()));
  }

  private SessionWire(SessionRecord session, SessionSpec spec) {
    this.spec = spec;
    layers = session.definition().layers();
    fleet = session.definition().fleet();
  }

  /** For what is sent many at a time, or again and again: without the values of measured tables. */
  static SessionWire brief(SessionRecord session) {
    SessionSpec spec = SpecWire.parse(session.definition().spec());
    return new SessionWire(session, TargetWire.withoutValues(spec));
  }

  static Session toProto(SessionRecord session, Optional<Preparation> preparation) {
    return new SessionWire(session).session(session, preparation);
  }

  /**
   * @param preparation how far it is where this process prepares it
   */
  Session session(SessionRecord session, Optional<Preparation> preparation) {
    SessionRecord.Definition definition = session.definition();
    SessionRecord.Progress progress = session.progress();
    Session.Builder message =
        Session.newBuilder()
            .setId(session.id())
            .setSpec(spec)
            .setState(toProto(session.state()))
            .setEtag(SessionService.etag(session))
            .setPauseRequested(session.status().pauseRequested())
            .setError(session.status().error())
            .setEpisodesDone(progress.episodesDone())
            .setEpisodesTotal(session.limits().episodes())
            .setEarlyEnds(SpecWire.earlyEnds(session.limits()))
            .setReferenceCost(definition.mainBudget().reference())
            .setBudgetLimit(definition.mainBudget().limit())
            .addAllBudgets(budgets(definition.budgets()))
            .setCreateTime(TimeWire.toProto(definition.createTime()))
            .setUpdateTime(TimeWire.toProto(session.updateTime()))
            .setExtrapolated(definition.extrapolated());
    preparation
        .filter(p -> session.state() == SessionState.PREPARING)
        .ifPresent(p -> message.setPreparation(toProto(p)));
    session.status().endReason().ifPresent(reason -> message.setEndReason(toProto(reason)));
    progress.baseline().ifPresent(baseline -> message.setBaseline(DataWire.toProto(baseline)));
    progress.best().ifPresent(best -> message.setBest(episode(best)));
    progress.tunings().of(0).ifPresent(tuned -> message.setTuned(tuned(tuned)));
    if (session.state() == SessionState.RUNNING && progress.episodesDone() > 0) {
      message.setSecondsLeft(secondsLeft(session.limits(), progress));
    }
    if (!fleet.targets().isEmpty()) {
      addTargets(progress, message);
    }
    return message.build();
  }

  /** By the episodes so far; no more than the wall time that may pass. */
  private static double secondsLeft(SessionLimits limits, SessionRecord.Progress progress) {
    int left = limits.episodes() - progress.episodesDone();
    double episodes = left * progress.episodeSeconds() / progress.episodesDone();
    double wall = limits.wallSeconds().orElse(Double.POSITIVE_INFINITY);
    return Math.min(episodes, Math.max(0, wall - progress.episodeSeconds()));
  }

  private List<TargetBudget> budgets(List<BudgetLimit> limits) {
    List<Resource> resources = new ArrayList<>();
    resources.add(spec.getBudget().getResource());
    spec.getFurtherBudgetsList().forEach(further -> resources.add(further.getResource()));
    return IntStream.range(0, limits.size())
        .mapToObj(i -> toProto(resources.get(i), limits.get(i)))
        .toList();
  }

  private static TargetBudget toProto(Resource resource, BudgetLimit budget) {
    return TargetBudget.newBuilder()
        .setResource(resource)
        .setLimit(budget.limit())
        .setReferenceCost(budget.reference())
        .build();
  }

  private Tuned tuned(dev.haq.agent.session.Tuned tuned) {
    Tuned.Builder message =
        Tuned.newBuilder()
            .setEpisode(tuned.episode())
            .setModel(tuned.model())
            .setEpochs(tuned.epochs())
            .setBefore(DataWire.toProto(tuned.before()))
            .setAfter(DataWire.toProto(tuned.after()))
            .setSeconds(tuned.seconds());
    tuned
        .heldOut()
        .ifPresent(
            heldOut ->
                message
                    .setHeldOutBefore(DataWire.toProto(heldOut.before()))
                    .setHeldOutAfter(DataWire.toProto(heldOut.after())));
    Recipe recipe = RecipeWire.fromProto(spec.getRecipe());
    FineTuning training = RecipeWire.fromProto(spec.getFinalFineTuning());
    message.setRecipe(RecipeWire.toProto(recipe.trainedWith(training).untrained()));
    return message.build();
  }

  static dev.haq.proto.agent.v1.Preparation toProto(Preparation preparation) {
    return dev.haq.proto.agent.v1.Preparation.newBuilder()
        .setMeasured(preparation.measured())
        .setToMeasure(preparation.toMeasure())
        .setSecondsLeft(preparation.secondsLeft())
        .build();
  }

  static FineTuneProgress toProto(TuningProgress progress) {
    return FineTuneProgress.newBuilder()
        .setEpoch(progress.epoch())
        .setEpochs(progress.epochs())
        .setStep(progress.step())
        .setSteps(progress.steps())
        .setLoss(progress.loss())
        .setImagesPerSecond(progress.imagesPerSecond())
        .setSecondsLeft(progress.secondsLeft())
        .build();
  }

  private void addTargets(SessionRecord.Progress progress, Session.Builder message) {
    for (int i = 0; i < fleet.targets().size(); i++) {
      Fleet.Target target = fleet.targets().get(i);
      TargetResult.Builder result = TargetResult.newBuilder().setTarget(target.name());
      for (Fleet.Limit limit : target.limits()) {
        result.addBudgets(toProto(CostWire.toProto(limit.resource()), limit.budget()));
      }
      Optional<dev.haq.agent.session.Episode> best = progress.bests().get(i);
      if (best.isPresent()) {
        result.setBest(episodeOn(i, best.get()));
      }
      progress.tunings().of(i).ifPresent(tuned -> result.setTuned(tuned(tuned)));
      message.addTargets(result);
    }
    OptionalDouble first =
        progress.best().stream().mapToDouble(best -> best.result().reward()).findFirst();
    FleetResult.Builder result = FleetResult.newBuilder().setInfeasible(fleet.refusal());
    progress.fleet().fleet().ifPresent(best -> result.setBest(episode(best)));
    int last = fleet.targets().size(); // the fleet's aim
    progress.tunings().of(last).ifPresent(tuned -> result.setTuned(tuned(tuned)));
    message.setFleet(result.addAllRegrets(progress.fleet().regrets(first)));
  }

  Episode episode(dev.haq.agent.session.Episode episode) {
    return episodeOn(0, episode);
  }

  /** With the cost on one of the session's targets. */
  Episode episodeOn(int target, dev.haq.agent.session.Episode episode) {
    EpisodeResult result = episode.result();
    Episode.Builder message = withoutCosts(episode);
    result
        .costs()
        .get(target)
        .ifPresent(own -> message.setCost(CostWire.toProto(own.cost())).setCostRatio(own.ratio()));
    if (!fleet.targets().isEmpty()) {
      message.setProposedFor(fleet.name(fleet.aim(episode.number())));
      for (int i = 0; i < result.costs().size(); i++) {
        EpisodeCost.Builder cost =
            EpisodeCost.newBuilder().setTarget(fleet.name(i)).setEligible(result.isEligible(i));
        result
            .costs()
            .get(i)
            .ifPresent(own -> cost.setCost(CostWire.toProto(own.cost())).setCostRatio(own.ratio()));
        message.addTargetCosts(cost);
      }
      if (episode.improved()) {
        message.addImprovedFor(fleet.name(0));
      }
      episode.improvedFor().forEach(aim -> message.addImprovedFor(fleet.name(aim)));
    }
    return message.build();
  }

  private Episode.Builder withoutCosts(dev.haq.agent.session.Episode episode) {
    EpisodeResult result = episode.result();
    return Episode.newBuilder()
        .setNumber(episode.number())
        .setPolicy(BitsWire.toProto(result.policy(), spec.getModel(), layers))
        .setReward(result.reward())
        .setAccuracy(DataWire.toProto(result.accuracy()))
        .setImproved(episode.improved())
        .setBestReward(episode.bestReward())
        .setWarmup(result.warmup())
        .setSeconds(result.timings().total())
        .setAgentSeconds(result.timings().agent())
        .setSimulatorSeconds(result.timings().simulator())
        .setQuantizerSeconds(result.timings().quantizer())
        .setCreateTime(TimeWire.toProto(episode.createTime()));
  }

  private static dev.haq.proto.agent.v1.SessionState toProto(SessionState state) {
    return switch (state) {
      case QUEUED -> dev.haq.proto.agent.v1.SessionState.QUEUED;
      case PREPARING -> dev.haq.proto.agent.v1.SessionState.PREPARING;
      case RUNNING -> dev.haq.proto.agent.v1.SessionState.RUNNING;
      case FINE_TUNING -> dev.haq.proto.agent.v1.SessionState.FINE_TUNING;
      case PAUSED -> dev.haq.proto.agent.v1.SessionState.PAUSED;
      case STOPPING -> dev.haq.proto.agent.v1.SessionState.STOPPING;
      case SUCCEEDED -> dev.haq.proto.agent.v1.SessionState.SUCCEEDED;
      case STOPPED -> dev.haq.proto.agent.v1.SessionState.STOPPED;
      case CANCELLED -> dev.haq.proto.agent.v1.SessionState.CANCELLED;
      case FAILED -> dev.haq.proto.agent.v1.SessionState.FAILED;
    };
  }

  private static EndReason toProto(dev.haq.agent.session.EndReason reason) {
    return switch (reason) {
      case EPISODES -> EndReason.EPISODES;
      case WALL_TIME -> EndReason.WALL_TIME;
      case CONVERGED -> EndReason.CONVERGED;
      case USER -> EndReason.USER;
      case ERROR -> EndReason.ERROR;
      case GOAL -> EndReason.GOAL;
    };
  }
}
