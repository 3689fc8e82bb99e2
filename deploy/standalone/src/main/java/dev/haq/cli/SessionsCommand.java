package dev.haq.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.haq.proto.agent.v1.Session;
import dev.haq.proto.agent.v1.SessionSpec;
import dev.haq.proto.model.v1.Budget;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** The sessions that there are. */
@Command(
    name = "sessions",
    description = "Lists the sessions of a running 'haq serve', newest first.",
    mixinStandardHelpOptions = true)
final class SessionsCommand implements Callable<Integer> {
  @Mixin private CommonOptions common;

  @Override
  public Integer call() {
    Terminal terminal = common.terminal();
    List<Session> sessions = ServeAddress.client(common).sessions();
    if (terminal.json()) {
      ObjectNode document = Json.object();
      document.set("sessions", Json.array(sessions));
      terminal.document(document);
    } else {
      terminal.line(
          Tables.of(
              List.of("<id", "<state", "episodes", "best", "<model", "<target", "<budget"),
              sessions.stream().map(SessionsCommand::row).toList()));
    }
    return Haq.DONE;
  }

  private static List<String> row(Session session) {
    SessionSpec spec = session.getSpec();
    return List.of(
        session.getId(),
        Figures.name(session.getState()),
        session.getEpisodesDone() + "/" + session.getEpisodesTotal(),
        session.hasBest() ? Figures.fixed(session.getBest().getReward(), 4) : "-",
        spec.getName().isEmpty() ? spec.getModel() : spec.getName(),
        spec.getTarget().hasName()
            ? spec.getTarget().getName()
            : spec.getTarget().hasLookupTable()
                ? spec.getTarget().getLookupTable().getName()
                : "described accelerator",
        budget(spec.getBudget()));
  }

  private static String budget(Budget budget) {
    String limit =
        budget.hasRatio()
            ? Figures.fixed(budget.getRatio(), 4)
            : Figures.amount(budget.getResource(), budget.getAbsolute());
    return Figures.name(budget.getResource()) + " " + limit;
  }
}
