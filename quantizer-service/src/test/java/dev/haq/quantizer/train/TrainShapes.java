package dev.haq.quantizer.train;

import ai.djl.Device;
import ai.djl.Model;
import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Block;
import ai.djl.nn.Parameter;
import ai.djl.training.DefaultTrainingConfig;
import ai.djl.training.GradientCollector;
import ai.djl.training.Trainer;
import ai.djl.training.initializer.XavierInitializer;
import ai.djl.training.loss.Loss;
import ai.djl.training.optimizer.Optimizer;
import ai.djl.training.tracker.Tracker;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import dev.haq.quantizer.builtin.BuiltinShapes;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Trains the built-in model on {@code builtin:shapes} and writes it as ONNX.
 *
 * <pre>TrainShapes FILE [EPOCHS [SEED]]</pre>
 *
 * <p>Adam (Kingma and Ba, arXiv 1412.6980) with a linear warm-up and a cosine decay of the learning
 * rate to 0; no weight decay. The figures it prints at the end are measured with ONNX Runtime on
 * the file it wrote.
 */
public final class TrainShapes {
  private static final Logger LOG = LoggerFactory.getLogger(TrainShapes.class);

  private static final int TRAINING_IMAGES = 30_000;
  private static final int BATCH = 64;
  private static final int DEFAULT_EPOCHS = 10;
  private static final int DEFAULT_SEED = 1;
  private static final float PEAK_LEARNING_RATE = 4e-3f;
  private static final int WARM_UP_STEPS = 300;
  private static final int LOG_EVERY_STEPS = 100;

  private final TrainingImages images;
  private final int epochs;
  private final SplittableRandom random;

  private TrainShapes(TrainingImages images, int epochs, int seed) {
    this.images = images;
    this.epochs = epochs;
    this.random = new SplittableRandom(seed);
  }

  /** Trains and writes; arguments as in the class comment. */
  public static void main(String[] args) throws IOException, OrtException {
    if (args.length < 1 || args.length > 3) {
      throw new IllegalArgumentException("arguments: FILE [EPOCHS [SEED]]");
    }
    Path file = Path.of(args[0]);
    int epochs = args.length > 1 ? Integer.parseInt(args[1]) : DEFAULT_EPOCHS;
    int seed = args.length > 2 ? Integer.parseInt(args[2]) : DEFAULT_SEED;
    // The natives lie on the class path: nothing is to be fetched and nobody told.
    System.setProperty("ai.djl.offline", "true");
    System.setProperty("OPT_OUT_TRACKING", "true");

    Engine engine = Engine.getEngine("PyTorch");
    engine.setRandomSeed(seed);
    LOG.info("{} multiply-accumulates an image", ShapesNetwork.macs());
    long start = System.nanoTime();
    TrainingImages images = TrainingImages.draw(TRAINING_IMAGES);
    List<float[]> parameters = new TrainShapes(images, epochs, seed).train();
    byte[] model = ShapesOnnx.write(parameters).toByteArray();
    Files.write(file, model);
    LOG.info(
        "wrote {} ({} bytes) after {} s",
        file,
        model.length,
        (System.nanoTime() - start) / 1_000_000_000);
    for (BuiltinShapes.Part part : BuiltinShapes.Part.values()) {
      LOG.info("{}: top-1 {} of {} images", part, correct(model, part), part.images());
    }
  }

  private List<float[]> train() {
    int stepsPerEpoch = images.size() / BATCH;
    int steps = epochs * stepsPerEpoch;
    Tracker rate = step -> learningRate(step, steps);
    Block network = ShapesNetwork.build();
    try (Model model = Model.newInstance("shapes", "PyTorch")) {
      model.setBlock(network);
      DefaultTrainingConfig config =
          new DefaultTrainingConfig(Loss.softmaxCrossEntropyLoss())
              .optDevices(new Device[] {Device.cpu()})
              .optInitializer(
                  new XavierInitializer(
                      XavierInitializer.RandomType.GAUSSIAN, XavierInitializer.FactorType.IN, 2),
                  Parameter.Type.WEIGHT)
              .optOptimizer(Optimizer.adam().optLearningRateTracker(rate).build());
      try (Trainer trainer = model.newTrainer(config)) {
        trainer.initialize(
            new Shape(BATCH, BuiltinShapes.CHANNELS, BuiltinShapes.SIDE, BuiltinShapes.SIDE));
        for (int epoch = 0; epoch < epochs; epoch++) {
          int[] order = images.shuffled(random);
          double lossSum = 0;
          for (int step = 0; step < stepsPerEpoch; step++) {
            lossSum += step(trainer, order, step * BATCH);
            if ((step + 1) % LOG_EVERY_STEPS == 0) {
              LOG.info(
                  "epoch {} of {}, step {}: loss {}",
                  epoch + 1,
                  epochs,
                  step + 1,
                  lossSum / LOG_EVERY_STEPS);
              lossSum = 0;
            }
          }
        }
      }
      return parameters(network);
    }
  }

  /** One gradient step; its arrays live in a manager of their own that closes with it. */
  private double step(Trainer trainer, int[] order, int from) {
    float[] pixels = new float[BATCH * BuiltinShapes.IMAGE_BYTES];
    float[] labels = new float[BATCH];
    for (int i = 0; i < BATCH; i++) {
      images.augmented(order[from + i], random, pixels, i * BuiltinShapes.IMAGE_BYTES);
      labels[i] = images.label(order[from + i]);
    }
    try (NDManager manager = trainer.getManager().newSubManager()) {
      NDArray input =
          manager.create(
              pixels,
              new Shape(BATCH, BuiltinShapes.CHANNELS, BuiltinShapes.SIDE, BuiltinShapes.SIDE));
      NDList target = new NDList(manager.create(labels));
      NDArray loss;
      try (GradientCollector gradients = trainer.newGradientCollector()) {
        loss = trainer.getLoss().evaluate(target, trainer.forward(new NDList(input)));
        gradients.backward(loss);
      }
      trainer.step();
      return loss.getFloat();
    }
  }

  private static float learningRate(int step, int steps) {
    if (step < WARM_UP_STEPS) {
      return PEAK_LEARNING_RATE * (step + 1) / WARM_UP_STEPS;
    }
    double progress = Math.min(1, (step - WARM_UP_STEPS) / (double) (steps - WARM_UP_STEPS));
    return (float) (PEAK_LEARNING_RATE * 0.5 * (1 + Math.cos(Math.PI * progress)));
  }

  private static List<float[]> parameters(Block network) {
    List<float[]> values = new ArrayList<>();
    network
        .getParameters()
        .forEach(named -> values.add(named.getValue().getArray().toFloatArray()));
    return values;
  }

  /** Images of a part whose largest logit, in ONNX Runtime, is that of their label. */
  static int correct(byte[] model, BuiltinShapes.Part part) throws OrtException {
    OrtEnvironment environment = OrtEnvironment.getEnvironment();
    float mean = BuiltinShapes.PREPROCESSING.mean().get(0).floatValue();
    float std = BuiltinShapes.PREPROCESSING.std().get(0).floatValue();
    int correct = 0;
    try (OrtSession session = environment.createSession(model)) {
      for (int position = 0; position < part.images(); position++) {
        long image = part.image(position);
        byte[] pixels = BuiltinShapes.image(image);
        FloatBuffer input = FloatBuffer.allocate(pixels.length);
        for (byte pixel : pixels) {
          input.put(((pixel & 0xFF) - mean) / std);
        }
        long[] shape = {1, BuiltinShapes.CHANNELS, BuiltinShapes.SIDE, BuiltinShapes.SIDE};
        try (OnnxTensor tensor = OnnxTensor.createTensor(environment, input.flip(), shape);
            OrtSession.Result result = session.run(Map.of("input", tensor))) {
          float[] logits = ((float[][]) result.get(0).getValue())[0];
          if (argMax(logits) == BuiltinShapes.label(image)) {
            correct++;
          }
        }
      }
    }
    return correct;
  }

  private static int argMax(float[] values) {
    int best = 0;
    for (int i = 1; i < values.length; i++) {
      if (values[i] > values[best]) {
        best = i;
      }
    }
    return best;
  }
}
