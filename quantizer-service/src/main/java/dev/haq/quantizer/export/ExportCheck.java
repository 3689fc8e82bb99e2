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
 * Runs a written file again on the same images and compares it twice.
 *
 * <p>As written, with the plain reading of the policy that it was written from. Both do the same
 * operations in the same order, with weights that are not arranged otherwise where they are
 * constants, so that a single image which they take for different classes is an error, and any
 * number of images tells.
 *
 * <p>As written and fully optimised, with the evaluation, by top-1: more than {@link #MOST_POINTS}
 * apart is an error. These add floats in other orders, which alone changes some answers of a
 * network of few bits, and so many images can tell a difference only so far: it is above {@link
 * #MOST_POINTS} where it is by {@link #STANDARD_ERRORS} standard errors. What was seen is said in a
 * note, whatever it is.
 */
final class ExportCheck {
  /** Percentage points of top-1. */
  static final double MOST_POINTS = 0.2;

  /** How many images files are run on at most. */
  static final int MOST_IMAGES = 1000;

  /** One right file of some hundreds is this far off by chance. */
  private static final double STANDARD_ERRORS = 3;

  private ExportCheck() {}

  /**
   * @param evaluated what the evaluation says
   * @param file at full optimisation
   */
  record Checked(Answers evaluated, Answers file, List<String> notes) {}

  /**
   * @param run the policy as it is evaluated
   * @param plain what the file should compute, operation by operation
   * @param model the file, or what stands for it, as ONNX Runtime can run it
   * @param what names the file in errors
   */
  static Checked check(PolicyRun run, byte[] plain, byte[] model, String what) {
    return checked(
        run.evaluated(),
        run.run(plain, Ort.Rewriting.AS_WRITTEN),
        run.run(model, Ort.Rewriting.AS_WRITTEN),
        run.run(model, Ort.Rewriting.ALL),
        what);
  }

  /**
   * The same of answers that are there.
   *
   * @param expected of the plain reading
   * @param asWritten of the file without optimisation
   * @param optimised of the file with all of it
   */
  static Checked checked(
      Answers evaluated, Answers expected, Answers asWritten, Answers optimised, String what) {
    if (asWritten.differing(expected) > 0) {
      throw differs(
          what + ", not optimised,", asWritten, "the plain reading of its policy", expected, 0);
    }
    compare(evaluated, asWritten, what + ", not optimised,");
    compare(evaluated, optimised, what + ", optimised,");
    List<String> notes = new ArrayList<>();
    notes.add(
        "run on %d images in ONNX Runtime: top-1 %s without optimisation, where the plain reading of the policy has %s; %s with all of it, where the evaluation has %s (differences of more than %s points can be told)"
            .formatted(
                evaluated.accuracy().images(),
                points(asWritten),
                points(expected),
                points(optimised),
                points(evaluated),
                points(
                    MOST_POINTS
                        + Math.max(
                            resolution(asWritten, evaluated), resolution(optimised, evaluated)))));
    return new Checked(evaluated, optimised, notes);
  }

  private static void compare(Answers evaluated, Answers file, String what) {
    double most = MOST_POINTS + resolution(file, evaluated);
    if (apart(file, evaluated) > most) {
      throw differs(what, file, "the evaluation", evaluated, most);
    }
  }

  /** In percentage points; one rounding of a share of images is not a difference. */
  private static double apart(Answers a, Answers b) {
    return Math.abs(a.accuracy().top1() - b.accuracy().top1()) - 1e-9;
  }

  private static double resolution(Answers a, Answers b) {
    return STANDARD_ERRORS * a.standardError(b);
  }

  /**
   * @param mostPoints of top-1 that may be between them; 0: no answer may differ
   */
  private static HaqException differs(
      String what, Answers file, String than, Answers other, double mostPoints) {
    int images = other.accuracy().images();
    return new HaqException(
        Reason.EXPORT_DIFFERS,
        "%s scores %s %% top-1 on %d images where %s scores %s %%%s, and takes %d of them for another class: nothing was exported; try another format, and report this"
            .formatted(
                what,
                points(file),
                images,
                than,
                points(other),
                mostPoints == 0 ? "" : ", more than " + points(mostPoints) + " points apart",
                file.differing(other)),
        Map.of(
            "file_top1", points(file),
            "expected_top1", points(other),
            "most_points", points(mostPoints),
            "images_differing", Integer.toString(file.differing(other))),
        null);
  }

  private static String points(Answers answers) {
    return points(answers.accuracy().top1());
  }

  private static String points(double value) {
    return String.format(Locale.ROOT, "%.2f", value);
  }
}
