package dev.haq.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.haq.model.HaqException;
import dev.haq.model.Reason;
import dev.haq.proto.agent.v1.CreateSessionRequest;
import dev.haq.proto.agent.v1.Episode;
import dev.haq.proto.agent.v1.Session;
import dev.haq.proto.agent.v1.SessionSpec;
import dev.haq.proto.agent.v1.SessionState;
import dev.haq.proto.model.v1.DataSelection;
import dev.haq.proto.quantizer.v1.EvaluateRequest;
import dev.haq.wire.BestPolicy;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Supplier;

/** A search from its specification to its files: what {@code demo} and {@code search} share. */
final class SearchRun {
  private final CommonOptions options;
  private final Terminal terminal;
  private final Path out;

  /**
   * @param out where the files go, and the session store when the services start inside
   */
  SearchRun(CommonOptions options, Path out) {
    this.options = options;
    this.terminal = options.terminal();
    this.out = out.toAbsolutePath().normalize();
  }

  /** What to search for, once there are services to ask. */
  interface SpecSource {
    SessionSpec spec(GatewayClient client);
  }

  /** Runs to the end and reports; answers the exit status. */
  int run(SpecSource source) {
    return options.hasServer() ? runOnServer(source) : runInside(source);
  }

  private int runOnServer(SpecSource source) {
    try (ServerSearch kept = ServerSearch.in(out, terminal)) {
      return runOnServer(source, kept);
    }
  }

  private int runOnServer(SpecSource source, ServerSearch kept) {
    try (Connection connection = Connection.open(options)) {
      GatewayClient client = connection.client();
      SessionSpec spec = source.spec(client);
      Optional<Session> unfinished = kept.unfinished(client, spec);
      int status = search(client, spec, unfinished, () -> kept.create(client, spec));
      kept.finished();
      return status;
    } catch (HaqException e) {
      throw kept.explained(e);
    }
  }

  private int runInside(SpecSource source) {
    SearchStore store = SearchStore.in(out);
    try (Connection connection = Connection.open(options, store.folder())) {
      GatewayClient client = connection.client();
      SessionSpec spec = source.spec(client);
      Optional<Session> unfinished = store.unfinished(client, spec);
      store.begin(spec, unfinished);
      int status =
          search(
              client,
              spec,
              unfinished,
              () -> {
                Session session = client.createSession(request(spec));
                store.has(session);
                return session;
              });
      store.finished();
      return status;
    } finally {
      store.close();
    }
  }

  private int search(
      GatewayClient client,
      SessionSpec spec,
      Optional<Session> unfinished,
      Supplier<Session> create) {
    // Data that do not fit the model are refused here, before there is a session; the answer is
    // kept by the service, so the session's own baseline costs nothing.
    Waiting.on(terminal, "evaluating the float model ...", () -> client.evaluate(floatModel(spec)));
    Session session = unfinished.orElseGet(create);
    if (unfinished.isPresent()) {
      terminal.note("continuing after episode " + session.getEpisodesDone());
      if (session.getState() == SessionState.PAUSED || session.getPauseRequested()) {
        client.act(session.getId(), "resume");
      }
    }
    Interrupt.onFirst(
        () -> {
          terminal.note("stopping as soon as it can; Ctrl-C again ends at once");
          try {
            client.act(session.getId(), "stop");
          } catch (HaqException e) {
            // It has just ended by itself; what it found is being reported.
            terminal.note(e.getMessage());
          }
        });
    return report(client, EpisodeLines.follow(client, session.getId(), 0, terminal));
  }

  private int report(GatewayClient client, EpisodeLines.Followed followed) {
    Session ended = followed.ended();
    if (ended.getState() == SessionState.FAILED) {
      throw failed(client, followed);
    }
    if (!ended.hasBest()) {
      throw new HaqException(
          Reason.CANCELLED,
          "the session ended before its first episode was done: nothing was found; the same command"
              + " starts anew, and what was measured is kept");
    }
    tell(client, followed);
    return ended.getState() == SessionState.CANCELLED ? Haq.FAILED : Haq.DONE;
  }

  /** What a session found before it failed is worth its files, as far as they can be had. */
  private HaqException failed(GatewayClient client, EpisodeLines.Followed followed) {
    HaqException failure =
        new HaqException(Reason.INTERNAL, "the session failed: " + followed.ended().getError());
    if (followed.ended().hasBest()) {
      try {
        tell(client, followed);
      } catch (HaqException e) {
        failure.addSuppressed(e);
      }
    }
    return failure;
  }

  private void tell(GatewayClient client, EpisodeLines.Followed followed) {
    Session ended = followed.ended();
    terminal.line(
        "%s after %d episodes; %s",
        Figures.name(ended.getState()), ended.getEpisodesDone(), SearchReport.summary(ended));
    ReportFigures figures = ReportFigures.of(client, ended);
    ResultFiles files = new ResultFiles(out, ResultFiles.SESSION);
    addFound(files, client, figures, followed.episodes());
    // Last: it takes evaluations, and one that fails is not to lose what was found.
    SearchReport report =
        Waiting.on(
            terminal,
            "evaluating the found policy and the uniform ones on the " + figures.images() + " ...",
            () -> SearchReport.of(figures));
    ObjectNode document = report.document(followed.episodes());
    List<Path> written = files.finish(document);
    terminal.line("\n" + report.text() + "\n");
    written.forEach(file -> terminal.line("wrote " + file));
    if (terminal.json()) {
      terminal.document(document);
    }
  }

  private static void addFound(
      ResultFiles files, GatewayClient client, ReportFigures figures, List<Episode> episodes) {
    Session ended = figures.session();
    files.addSearch(ended, figures.model(), figures.cost(ended.getBest().getPolicy()), episodes);
    BestPolicy.own(ended)
        .tuned()
        .ifPresent(
            tuned -> files.add("tuned.onnx", file -> client.downloadModel(tuned.getModel(), file)));
    figures.fleet().ifPresent(fleet -> fleet.addTo(files, figures.model(), client::downloadModel));
  }

  private static EvaluateRequest floatModel(SessionSpec spec) {
    DataSelection data = spec.getData();
    return EvaluateRequest.newBuilder()
        .setModel(spec.getModel())
        .setData(data)
        .setRecipe(spec.getRecipe())
        .build();
  }

  private static CreateSessionRequest request(SessionSpec spec) {
    return CreateSessionRequest.newBuilder()
        .setSpec(spec)
        .setRequestId(UUID.randomUUID().toString())
        .build();
  }
}
