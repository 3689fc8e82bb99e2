package dev.haq.quantizer.export;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.haq.model.Accuracy;
import dev.haq.model.HaqException;
import dev.haq.model.Reason;
import dev.haq.quantizer.eval.PolicyRun.Answers;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Each of the comparisons by itself. */
final class ExportCheckTest {
  private static final int IMAGES = 1000;

  /** The first {@code right} of the images are taken for what they are. */
  private static Answers answers(int right) {
    int[] answers = new int[IMAGES];
    boolean[] known = new boolean[IMAGES];
    Arrays.fill(answers, right, IMAGES, 1);
    Arrays.fill(known, 0, right, true);
    return new Answers(new Accuracy(IMAGES, right, IMAGES, 0), answers, known);
  }

  private static void assertRefused(
      String expected, int evaluated, int plain, int asWritten, int optimised) {
    HaqException refused =
        assertThrows(
            HaqException.class,
            () ->
                ExportCheck.checked(
                    answers(evaluated),
                    answers(plain),
                    answers(asWritten),
                    answers(optimised),
                    "the file"));
    assertEquals(Reason.EXPORT_DIFFERS, refused.reason());
    assertTrue(refused.getMessage().startsWith(expected), refused.getMessage());
  }

  @Test
  void aFileThatIsUnlikeItsPlainReadingIsRefusedHoweverLittleItDiffers() {
    assertRefused(
        "the file, not optimised, scores 69.70 % top-1 on 1000 images where the plain reading",
        700, 700, 697, 700);
  }

  @Test
  void aFileThatAnswersOtherwiseThanItsPlainReadingIsRefusedThoughItScoresAlike() {
    Answers plain = answers(700);
    int[] answered = plain.answers().clone();
    answered[IMAGES - 1] = 2; // wrong as before
    Answers file = new Answers(plain.accuracy(), answered, plain.right());
    HaqException refused =
        assertThrows(
            HaqException.class, () -> ExportCheck.checked(plain, plain, file, plain, "the file"));
    assertEquals(Reason.EXPORT_DIFFERS, refused.reason());
    assertTrue(
        refused.getMessage().contains("and takes 1 of them for another class"),
        refused.getMessage());
  }

  @Test
  void aFileThatIsUnlikeTheEvaluationIsRefusedAsItIsWritten() {
    assertRefused(
        "the file, not optimised, scores 65.00 % top-1 on 1000 images where the evaluation",
        700, 650, 650, 700);
  }

  @Test
  void aFileThatOptimisationMakesUnlikeTheEvaluationIsRefused() {
    assertRefused(
        "the file, optimised, scores 65.00 % top-1 on 1000 images where the evaluation",
        700, 700, 700, 650);
  }

  @Test
  void whatChanceExplainsIsNotADifferenceFromTheEvaluation() {
    // 9 images that one gets right and the other wrong: 3 standard errors are 0.9 points.
    assertEquals(
        709,
        ExportCheck.checked(answers(700), answers(700), answers(700), answers(709), "the file")
            .file()
            .accuracy()
            .top1Correct());
  }

  @Test
  void theNoteSaysTheLargerOfBothDifferencesThatCouldBeTold() {
    for (boolean asWritten : new boolean[] {true, false}) {
      int odd = asWritten ? 709 : 700;
      List<String> notes =
          ExportCheck.checked(
                  answers(700), answers(odd), answers(odd), answers(1409 - odd), "the file")
              .notes();
      assertTrue(notes.get(0).contains("more than 1.10 points can be told"), notes.get(0));
    }
  }
}
