package dev.haq.quantizer.export;

import dev.haq.model.HaqException;
import dev.haq.model.Reason;
import dev.haq.quantizer.eval.PolicyRun;
import dev.haq.quantizer.eval.PolicyRun.Answers;
import dev.haq.quantizer.onnx.Ort;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * Runs a written file again and compares it with the evaluation on the same images.
 *
 * <p>Top-1 may differ by {@link #MOST_POINTS}. Where it differs by more, the plain reference is run
 * as well, which computes what the evaluation does but for the order in which floats are added. At
 * few bits that order alone changes answers, and on few images a handful of them is more than 0.2
 * points. A file that disagrees with the evaluation in no more images than the reference does is
 * right, and a note says what was seen; any other is refused.
 */
final class ExportCheck {
  /** Percentage points of top-1. */
  static final double MOST_POINTS = 0.2;

  /** How many images files are run on at most. */
  static final int MOST_IMAGES = 1000;

  /** A file may disagree in this many times as many images as the reference... */
  private static final double MOST_DISAGREEMENT = 1.25;

  /** ...and in this many more, for a count of few says little. */
  private static final int FEW = 2;

  private ExportCheck() {}

  /**
   * @param evaluated what the evaluation says
   * @param file at full optimisation
   */
  record Checked(Answers evaluated, Answers file, List<String> notes) {}

  /**
   * @param run the policy as it is evaluated
   * @param model the file, or what stands for it, as ONNX Runtime can run it
   * @param what names the file in errors
   */
  static Checked check(PolicyRun run, byte[] model, String what) {
    Answers evaluated = run.evaluated();
    Answers plain = run.run(model, Ort.Rewriting.NONE);
    Answers optimised = run.run(model, Ort.Rewriting.ALL);
    List<String> notes = new ArrayList<>();
    notes.add(
        "run on %d images in ONNX Runtime: top-1 %s without optimisation, %s with all of it, %s in the evaluation"
            .formatted(
                evaluated.accuracy().images(),
                points(plain),
                points(optimised),
                points(evaluated)));
    compare(run, evaluated, plain, what + ", not optimised,", notes);
    compare(run, evaluated, optimised, what + ", optimised,", notes);
    return new Checked(evaluated, optimised, notes);
  }

  private static void compare(
      PolicyRun run, Answers evaluated, Answers file, String what, List<String> notes) {
    double difference = Math.abs(file.accuracy().top1() - evaluated.accuracy().top1());
    if (difference <= MOST_POINTS + 1e-9) {
      return;
    }
    int differing = file.differing(evaluated);
    int expected = run.reference().differing(evaluated);
    if (differing > MOST_DISAGREEMENT * expected + FEW) {
      throw new HaqException(
          Reason.EXPORT_DIFFERS,
          "%s scores %s %% top-1 where the evaluation says %s %%, and takes %d of %d images for another class: nothing was exported; try another format, and report this"
              .formatted(
                  what, points(file), points(evaluated), differing, evaluated.accuracy().images()),
          Map.of(
              "file_top1", points(file),
              "evaluated_top1", points(evaluated),
              "images_differing", Integer.toString(differing),
              "images_differing_by_summation", Integer.toString(expected)),
          null);
    }
    notes.add(
        "%s differs by %s points, in %d of %d images; the order of float sums alone changes %d: use more images to compare closer"
            .formatted(
                what,
                String.format(Locale.ROOT, "%.2f", difference),
                differing,
                evaluated.accuracy().images(),
                expected));
  }

  private static String points(Answers answers) {
    return String.format(Locale.ROOT, "%.2f", answers.accuracy().top1());
  }
}
