package dev.haq.cli;

import dev.haq.proto.agent.v1.SessionSpec;
import dev.haq.proto.model.v1.DataSelection;
import dev.haq.proto.quantizer.v1.Model;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** A search on the user's own model. */
@Command(
    name = "search",
    description = {
      "Searches bit-widths for a model, within a budget on a target.",
      "An interrupted search goes on when it is started again with the same --out and options."
    },
    mixinStandardHelpOptions = true)
final class SearchCommand implements Callable<Integer> {
  @Mixin private CommonOptions common;
  @Mixin private ModelOption model;
  @Mixin private DataOptions data;
  @Mixin private TargetOptions target;
  @Mixin private FurtherTargetOptions further;
  @Mixin private SearchOptions search;
  @Mixin private SearchTraining training;

  @Option(
      names = "--out",
      paramLabel = "DIR",
      defaultValue = "haq-out/search",
      description = "Where the files go; ${DEFAULT-VALUE} by default.")
  private Path out;

  @Override
  public Integer call() {
    SessionSpec.Builder spec = SessionSpec.newBuilder();
    search.fill(spec);
    training.check(spec);
    data.check();
    return new SearchRun(common, out).run(client -> complete(client, spec));
  }

  private SessionSpec complete(GatewayClient client, SessionSpec.Builder spec) {
    TargetOptions.Resolved resolved =
        target.resolve(client, search.budget().resource(), further.names());
    TableOptions.checkBudgets(TargetOptions.OPTION, resolved.ref(), search.budgets());
    Model known = model.resolve(client, common.terminal());
    spec.setName(known.getName())
        .setModel(known.getId())
        .setTarget(resolved.ref())
        .addAllFurtherTargets(further.resolve(client, target.tables(), search.budgets()))
        .setData(
            Waiting.on(
                common.terminal(),
                DataOptions.SENDING,
                () -> data.resolve(client, common.terminal(), DataSelection.Split.SEARCH)));
    training.fill(client, common.terminal(), data, spec);
    return spec.build();
  }
}
