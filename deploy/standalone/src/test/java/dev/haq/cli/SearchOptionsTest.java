package dev.haq.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.haq.proto.agent.v1.DdpgSettings;
import dev.haq.proto.agent.v1.SessionSpec;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import picocli.CommandLine;

class SearchOptionsTest {
  @TempDir Path folder;

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "--also|accuracy=0.7|--also accuracy: use latency, energy or size",
        "--also|energy=70x|--also 70x: there is no unit 'x'",
        "--resource|accuracy|--resource accuracy: use latency, energy or size",
        "--max-time|soon|--max-time soon: give a time above 0 such as 90s, 30m, 2h or 1h30m",
        "--max-time|-5m|--max-time -5m: give a time above 0",
        "--max-time|0s|--max-time 0s: give a time above 0",
        "--patience|0|--patience 0: use at least 1",
        "--ddpg|noise=0.9|--ddpg noise=0.9: there is no such setting; use one of hidden1, hidden2,",
        "--ddpg|tau=fast|--ddpg tau=fast: Not a double value: \"fast\"",
        "--ddpg|batch_size=0|ddpg batch_size 0: use 1 to 4096",
        "--goal|101|--goal 101.0: it is a percentage, 0 to 100",
      })
  void anErrorNamesTheOptionThatItStandsIn(String option, String value, String expected) {
    Captured.run(
            """
            search --model builtin:shapes --data builtin:shapes --target bismo-edge --budget 0.6
            %s %s --out %s
            """,
            option, value, folder.resolve("out"))
        .assertRefused(expected);
  }

  @ParameterizedTest
  @CsvSource({"90s, 90", "30m, 1800", "2h, 7200", "1H30M, 5400", "1.5s, 1.5"})
  void timesAreReadAsPeopleWriteThem(String text, double seconds) {
    assertEquals(seconds, filled("--max-time " + text).getEarlyEnds().getWallSeconds());
  }

  @Test
  void whatEndsASearchEarlyAndWhenItLearnsIsSent() {
    SessionSpec spec = filled("--patience 7 --goal 71.5 --learn-while-evaluating");
    assertEquals(7, spec.getEarlyEnds().getEpisodesWithoutImprovement());
    assertEquals(71.5, spec.getEarlyEnds().getTop1());
    assertFalse(spec.getEarlyEnds().hasWallSeconds());
    assertTrue(spec.getLearnWhileEvaluating());
    assertFalse(filled("").hasEarlyEnds());
    assertFalse(filled("").getLearnWhileEvaluating());
  }

  @Test
  void settingsOfTheLearningAgentAreSentByName() {
    SessionSpec spec = filled("--ddpg tau=0.05 --ddpg hidden1=300");
    assertEquals(DdpgSettings.newBuilder().setTau(0.05).setHidden1(300).build(), spec.getDdpg());
    assertFalse(filled("").hasDdpg());
  }

  private static SessionSpec filled(String options) {
    SearchOptions search =
        CommandLine.populateCommand(
            new SearchOptions(), Words.of("--budget 0.6 " + options).toArray(String[]::new));
    SessionSpec.Builder spec = SessionSpec.newBuilder();
    search.fill(spec);
    return spec.build();
  }
}
