package dev.haq.cli;

import dev.haq.model.HaqException;
import dev.haq.model.Reason;
import java.nio.file.InvalidPathException;
import java.util.Arrays;
import java.util.List;
import java.util.logging.Level;
import java.util.logging.Logger;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.UnmatchedArgumentException;

/**
 * The {@code haq} command. Exit status: 0 done; 1 the job failed; 2 the arguments are wrong, with
 * one line on standard error that says what is wrong and how to mend it.
 */
@Command(
    name = "haq",
    description =
        "Finds the bit-widths that each layer of a network deserves on a hardware target.",
    mixinStandardHelpOptions = true,
    versionProvider = Haq.Version.class,
    synopsisSubcommandLabel = "COMMAND",
    subcommands = {
      DemoCommand.class,
      ServeCommand.class,
      SearchCommand.class,
      SimulateCommand.class,
      ExplainCommand.class,
      FindParameterCommand.class,
      EvaluateCommand.class,
      SensitivityCommand.class,
      FrontCommand.class,
      FineTuneCommand.class,
      TableCommand.class,
      ExportCommand.class,
      TargetsCommand.class,
      SessionsCommand.class,
      WatchCommand.class
    },
    footer = {"", "'haq COMMAND --help' explains a command. Start with 'haq demo'."})
public final class Haq implements Runnable {
  static final int DONE = 0;
  static final int FAILED = 1;
  static final int WRONG_ARGUMENTS = 2;

  /** Read by logback.xml. */
  private static final String LOG_LEVEL = "haq.log.level";

  @CommandLine.Spec private CommandLine.Model.CommandSpec spec;

  /** The version that the build wrote into the jar's manifest. */
  static final class Version implements CommandLine.IVersionProvider {
    @Override
    public String[] getVersion() {
      String version = Haq.class.getPackage().getImplementationVersion();
      return new String[] {"haq " + (version == null ? "(run from classes)" : version)};
    }
  }

  public static void main(String[] args) {
    if (System.getProperty(LOG_LEVEL) == null) {
      String wanted = System.getenv("HAQ_LOG_LEVEL");
      boolean serve = Arrays.asList(args).contains("serve");
      System.setProperty(LOG_LEVEL, wanted != null ? wanted : serve ? "INFO" : "WARN");
    }
    Logger.getLogger("").setLevel(Level.WARNING);
    int status = execute(args);
    // Not every library's threads are daemons.
    System.exit(status);
  }

  /** Runs one command; answers its exit status. */
  public static int execute(String... args) {
    int status;
    try {
      status =
          new CommandLine(new Haq())
              .setCaseInsensitiveEnumValuesAllowed(true)
              .setParameterExceptionHandler((e, unused) -> wrongArguments(e))
              .setExecutionExceptionHandler((e, command, parsed) -> failed(e))
              .execute(args);
    } catch (OutOfMemoryError e) {
      return complain("not enough memory: give the command more with HAQ_HEAP=8g", FAILED);
    } catch (Error e) {
      return failed(e);
    }
    // A stream that printing fails on says so only when it is asked.
    return System.out.checkError() && status == DONE
        ? complain("the result could not be written to standard output", FAILED)
        : status;
  }

  @Override
  public void run() {
    spec.commandLine().usage(System.err);
    throw new ParameterException(spec.commandLine(), "a command is needed, such as 'haq demo'");
  }

  private static int wrongArguments(ParameterException e) {
    String name = e.getCommandLine().getCommandSpec().qualifiedName();
    String text =
        e instanceof UnmatchedArgumentException unmatched
            ? unmatched(unmatched)
            : e.getMessage().replaceFirst("^Error: ", "");
    return complain(text + " (see '" + name + " --help')", WRONG_ARGUMENTS);
  }

  private static String unmatched(UnmatchedArgumentException e) {
    boolean command = !e.isUnknownOption() && !e.getCommandLine().getSubcommands().isEmpty();
    String text =
        command ? "there is no command '%s'".formatted(e.getUnmatched().get(0)) : e.getMessage();
    // Of commands the most similar is the first; options that begin alike come in any order.
    List<String> meant = e.getSuggestions().stream().limit(command ? 1 : 3).toList();
    return meant.isEmpty()
        ? text
        : "%s: did you mean '%s'?".formatted(text, String.join("' or '", meant));
  }

  private static int failed(Throwable e) {
    if (e instanceof HaqException typed) {
      return complain(typed.getMessage(), status(typed.reason()));
    }
    if (e instanceof InvalidPathException path) {
      return complain(
          "%s cannot be the name of a file here: %s; set LC_ALL=C.UTF-8 if it has other letters than English ones"
              .formatted(path.getInput(), path.getReason()),
          WRONG_ARGUMENTS);
    }
    org.slf4j.LoggerFactory.getLogger(Haq.class).debug("the command failed", e);
    String text = e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
    return complain(text, FAILED);
  }

  /**
   * What the caller can mend by other arguments is 2, all else is 1: also a file that was written
   * and then scores otherwise, of which no argument was wrong.
   */
  static int status(Reason reason) {
    if (reason == Reason.EXPORT_DIFFERS) {
      return FAILED;
    }
    return switch (reason.kind()) {
      case CALLER, STATE, MISSING, CONFLICT, CHANGED -> WRONG_ARGUMENTS;
      case EXHAUSTED -> reason == Reason.TOO_LARGE ? WRONG_ARGUMENTS : FAILED;
      case CANCELLED, DEADLINE, UNAVAILABLE, FAULT -> FAILED;
    };
  }

  private static int complain(String message, int status) {
    String line = message.strip().replaceAll("\\s*[\\r\\n]+\\s*", " ");
    System.err.println("haq: " + Terminal.printable(line));
    return status;
  }
}
