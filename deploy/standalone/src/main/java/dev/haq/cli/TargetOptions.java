package dev.haq.cli;

import dev.haq.model.HaqException;
import dev.haq.model.Reason;
import dev.haq.model.Resource;
import dev.haq.proto.hwsim.v1.GetTargetRequest;
import dev.haq.proto.hwsim.v1.ParameterOverride;
import dev.haq.proto.hwsim.v1.Target;
import dev.haq.proto.hwsim.v1.TargetRef;
import dev.haq.proto.model.v1.BitChoices;
import java.io.File;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** The hardware that a command is about. */
final class TargetOptions {
  static final String OPTION = "--target";

  @Option(
      names = OPTION,
      required = true,
      paramLabel = "TARGET",
      description =
          "A name of 'haq targets', a .npy, .csv or .json file of measured costs, or a .yaml or .json file that describes an accelerator.")
  private String target;

  @Option(
      names = "--batch",
      paramLabel = "B",
      description = "Images in a batch; the target's own by default.")
  private int batch;

  @Mixin private TableOptions tables;

  @Option(
      names = "--set",
      paramLabel = "KEY=VALUE",
      description =
          "What if: another figure in the target's description, such as clock_hz=1e9; repeatable. 'haq targets --show NAME' lists the keys.")
  private List<String> overrides = new ArrayList<>();

  /** A target and the bit-widths it can run. */
  record Resolved(TargetRef ref, String name, BitChoices weightBits, BitChoices activationBits) {}

  private TargetRef ref(Resource wanted) {
    if (batch < 0) {
      throw HaqException.invalid("--batch must not be negative");
    }
    TargetRef.Builder ref = ref(OPTION, target, tables, wanted).setBatch(batch);
    KeyValues.of("--set", "KEY=VALUE, such as clock_hz=1e9", overrides)
        .forEach((key, value) -> ref.addOverrides(override(key, value)));
    return ref.build();
  }

  /**
   * @param option that names the target, for errors
   * @param text as the user gave it
   * @param wanted what the command is about
   */
  static TargetRef.Builder ref(String option, String text, TableOptions tables, Resource wanted) {
    TargetRef.Builder ref = TargetRef.newBuilder();
    if (TableFile.is(text)) {
      try {
        return ref.setLookupTable(tables.read(text, wanted));
      } catch (HaqException e) {
        throw new HaqException(e.reason(), option + " " + e.getMessage(), e);
      }
    }
    return isDescription(text) ? ref.setAccelerator(description(option, text)) : ref.setName(text);
  }

  private static boolean isDescription(String target) {
    String name = target.toLowerCase(Locale.ROOT);
    return name.endsWith(".yaml") || name.endsWith(".yml") || name.endsWith(".json");
  }

  private static String description(String option, String target) {
    return TextFile.read(option + " " + target, Path.of(target));
  }

  private static ParameterOverride override(String key, String value) {
    if (value.isBlank()) {
      throw HaqException.invalid("--set %s=: a value is missing, such as --set clock_hz=1e9", key);
    }
    ParameterOverride.Builder override = ParameterOverride.newBuilder().setKey(key);
    try {
      return override.setNumber(Double.parseDouble(value)).build();
    } catch (NumberFormatException e) {
      return override.setWord(value).build();
    }
  }

  /**
   * Looks the target up, so that an unknown one is refused at once.
   *
   * @param wanted what the command is about
   */
  Resolved resolve(GatewayClient client, Resource wanted) {
    return resolve(client, wanted, List.of());
  }

  /**
   * The same for a command with several targets.
   *
   * @param others for which the options of tables may be meant
   */
  Resolved resolve(GatewayClient client, Resource wanted, List<String> others) {
    List<String> all = new ArrayList<>(others);
    all.add(0, target);
    tables.checkUsed(all);
    return resolve(client, OPTION + " " + target, ref(wanted));
  }

  TableOptions tables() {
    return tables;
  }

  /**
   * @param origin what errors call the target: the option and what it was given
   */
  static Resolved resolve(GatewayClient client, String origin, TargetRef ref) {
    if (ref.hasLookupTable()) {
      var table = ref.getLookupTable();
      return new Resolved(ref, table.getName(), table.getWeightBits(), table.getActivationBits());
    }
    Target known = known(client, origin, ref);
    return new Resolved(ref, known.getName(), known.getWeightBits(), known.getActivationBits());
  }

  private static Target known(GatewayClient client, String origin, TargetRef ref) {
    try {
      return client.target(
          GetTargetRequest.newBuilder().setTarget(ref).setAcceleratorOrigin(origin).build());
    } catch (HaqException e) {
      if (e.reason() == Reason.UNKNOWN_TARGET && new File(ref.getName()).isFile()) {
        throw new HaqException(
            e.reason(),
            "%s: files of costs are read as .npy, .csv or .json, and descriptions as .yaml, .yml or .json: save it as one of these"
                .formatted(origin),
            e);
      }
      throw e;
    }
  }
}
