package dev.haq.quantizer.eval;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtSession;
import dev.haq.model.Accuracy;
import dev.haq.quantizer.onnx.CnnGraph;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.BooleanSupplier;

/**
 * Runs sessions over blocks of one selection of images. Batches always begin at the same images,
 * whichever blocks are asked for: ONNX Runtime may add up differently in batches of another size.
 */
record BlockRunner(SessionRunner runner, CnnGraph graph, Images images, Blocks blocks) {
  static BlockRunner of(SessionRunner runner, CnnGraph graph, Images images) {
    Blocks blocks = Blocks.of(images.size(), SessionRunner.batchSize(graph));
    return new BlockRunner(runner, graph, images, blocks);
  }

  /** The same images, given to a network in another way. */
  BlockRunner reading(Images others) {
    return new BlockRunner(runner, graph, others, blocks);
  }

  /**
   * Scores some blocks and puts what was found among the answers.
   *
   * @param exact the float model's scores on these blocks, where they are to be compared with
   */
  void score(
      OrtSession session,
      List<Integer> wanted,
      Optional<FloatScores> exact,
      BlockAnswers answers,
      BooleanSupplier cancelled) {
    Scorer scorer = new Scorer(graph.outputKind());
    List<List<Accuracy>> found =
        perBlock(
            session,
            wanted,
            (result, first, count) ->
                score(
                    scorer, SessionRunner.floats((OnnxTensor) result.get(0)), first, count, exact),
            cancelled);
    for (int i = 0; i < wanted.size(); i++) {
      answers.put(wanted.get(i), found.get(i).stream().reduce(Accuracy::plus).orElseThrow());
    }
  }

  /** The accuracy on a batch, of its class scores. */
  Accuracy score(Scorer scorer, float[] scores, int first, int count, Optional<FloatScores> exact) {
    int classes = graph.classes();
    Accuracy sum = null;
    for (int i = 0; i < count; i++) {
      int image = first + i;
      int label = images.label(image);
      Accuracy one =
          exact.isPresent()
              ? scorer.score(
                  scores,
                  i * classes,
                  classes,
                  label,
                  exact.get().blockOf(image),
                  exact.get().offset(image))
              : scorer.score(scores, i * classes, classes, label);
      sum = sum == null ? one : sum.plus(one);
    }
    return sum;
  }

  /** The accuracy of the float model on all images, of its scores. */
  Accuracy score(FloatScores exact) {
    Scorer scorer = new Scorer(graph.outputKind());
    Accuracy sum = Accuracy.NONE;
    for (int image = 0; image < images.size(); image++) {
      sum =
          sum.plus(
              scorer.score(
                  exact.blockOf(image), exact.offset(image), graph.classes(), images.label(image)));
    }
    return sum;
  }

  /** Runs the float model over the blocks whose scores are not known. */
  void fill(
      FloatScores scores, OrtSession session, List<Integer> wanted, BooleanSupplier cancelled) {
    List<Integer> unknown = wanted.stream().filter(block -> !scores.knows(block)).toList();
    long start = System.nanoTime();
    List<List<float[]>> found =
        perBlock(
            session,
            unknown,
            (result, first, count) -> SessionRunner.floats((OnnxTensor) result.get(0)),
            cancelled);
    double seconds = (System.nanoTime() - start) / 1e9 / Math.max(1, unknown.size());
    for (int i = 0; i < unknown.size(); i++) {
      int block = unknown.get(i);
      int classes = graph.classes();
      float[] values = new float[(blocks.end(block) - blocks.start(block)) * classes];
      int at = 0;
      for (float[] batch : found.get(i)) {
        System.arraycopy(batch, 0, values, at, batch.length);
        at += batch.length;
      }
      scores.put(block, values, seconds);
    }
  }

  /** What {@code outputs} made of the batches of each wanted block, in order. */
  private <T> List<List<T>> perBlock(
      OrtSession session,
      List<Integer> wanted,
      SessionRunner.Outputs<T> outputs,
      BooleanSupplier cancelled) {
    int batchSize = SessionRunner.batchSize(graph);
    List<int[]> batches = new ArrayList<>(); // first image, images, position of the block
    for (int i = 0; i < wanted.size(); i++) {
      int end = blocks.end(wanted.get(i));
      for (int first = blocks.start(wanted.get(i)); first < end; first += batchSize) {
        batches.add(new int[] {first, Math.min(batchSize, end - first), i});
      }
    }
    List<T> results =
        runner.inParallel(
            batches.size(),
            () -> {
              InputBatch batch = images.batch(graph, batchSize);
              return b -> {
                int first = batches.get(b)[0];
                int count = batches.get(b)[1];
                try (OnnxTensor input = batch.tensor(first, count);
                    OrtSession.Result result = session.run(Map.of(graph.input(), input))) {
                  return outputs.of(result, first, count);
                }
              };
            },
            cancelled);
    List<List<T>> perBlock = new ArrayList<>();
    wanted.forEach(block -> perBlock.add(new ArrayList<>()));
    for (int b = 0; b < results.size(); b++) {
      perBlock.get(batches.get(b)[2]).add(results.get(b));
    }
    return perBlock;
  }
}
