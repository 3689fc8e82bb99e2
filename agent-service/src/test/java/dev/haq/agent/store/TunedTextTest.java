package dev.haq.agent.store;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import dev.haq.agent.session.Tuned;
import dev.haq.agent.session.Tunings;
import dev.haq.model.Accuracy;
import java.sql.SQLException;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

final class TunedTextTest {
  private static final Accuracy ACCURACY = new Accuracy(10, 7, 9, 12.5);

  private static Tuned tuned(int episode) {
    return new Tuned(episode, "sha256:ab", 3, ACCURACY, ACCURACY, Optional.empty(), 0.5);
  }

  @Test
  void theOutcomesOfAllTargetsAreReadAsTheyWereWritten() throws SQLException {
    Tunings tunings =
        new Tunings(List.of(Optional.of(tuned(4)), Optional.empty(), Optional.of(tuned(9))));
    assertEquals(tunings, TunedText.parse(3, TunedText.format(tunings)));
  }

  @Test
  void nothingIsWrittenOfNoOutcome() throws SQLException {
    Tunings none = new Tunings(List.of(Optional.empty(), Optional.empty()));
    assertNull(TunedText.format(none));
    assertEquals(none, TunedText.parse(2, null));
  }

  @Test
  void theOneOutcomeOfAnEarlierVersionIsTheFirstTargets() throws SQLException {
    String accuracy =
        "{\"images\":10,\"top1_correct\":7,\"top5_correct\":9,\"cross_entropy_sum\":12.5}";
    String text =
        "{\"episode\":4,\"model\":\"sha256:ab\",\"epochs\":3,\"seconds\":0.5,\"before\":%s,\"after\":%s}"
            .formatted(accuracy, accuracy);
    assertEquals(
        new Tunings(List.of(Optional.of(tuned(4)), Optional.empty(), Optional.empty())),
        TunedText.parse(3, text));
  }
}
