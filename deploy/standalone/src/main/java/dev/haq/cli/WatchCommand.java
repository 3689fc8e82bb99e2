package dev.haq.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.haq.model.HaqException;
import dev.haq.model.Reason;
import dev.haq.proto.agent.v1.Session;
import dev.haq.proto.agent.v1.SessionState;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** One session, as it goes. */
@Command(
    name = "watch",
    description = "Follows a session of a running 'haq serve' to its end, an episode a line.",
    mixinStandardHelpOptions = true)
final class WatchCommand implements Callable<Integer> {
  @Mixin private CommonOptions common;

  @Parameters(paramLabel = "ID", description = "The session's id, see 'haq sessions'.")
  private String id;

  @Option(
      names = "--after",
      paramLabel = "N",
      defaultValue = "0",
      description = "Leave out the episodes up to this one.")
  private int after;

  @Override
  public Integer call() {
    Terminal terminal = common.terminal();
    GatewayClient client = ServeAddress.client(common);
    EpisodeLines.Followed followed = EpisodeLines.follow(client, id, after, terminal);
    Session ended = followed.ended();
    if (ended.hasBest()) {
      terminal.line(SearchReport.summary(ended));
    }
    if (terminal.json()) {
      ObjectNode document = Json.object();
      document.set("session", Json.tree(ended));
      document.set("episodes", Json.array(followed.episodes()));
      terminal.document(document);
    }
    if (ended.getState() == SessionState.FAILED) {
      throw new HaqException(Reason.INTERNAL, "the session failed: " + ended.getError());
    }
    return Haq.DONE;
  }
}
