package dev.haq.quantizer.export;

import dev.haq.model.BitWidth;
import dev.haq.model.DataSelection;
import dev.haq.model.LayerBits;
import dev.haq.model.Policy;
import dev.haq.model.Preprocessing;
import dev.haq.quantizer.data.ArchiveLimits;
import dev.haq.quantizer.data.DatasetStore;
import dev.haq.quantizer.data.DatasetUpload;
import dev.haq.quantizer.data.Datasets;
import dev.haq.quantizer.eval.Evaluator;
import dev.haq.quantizer.eval.TestEvaluators;
import dev.haq.quantizer.graphs.IntegerGraph;
import dev.haq.quantizer.graphs.Processor;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;

/** What tests of exports start from: an evaluator on real images, and policies. */
final class ExportBench implements AutoCloseable {
  final DatasetStore store;
  final Evaluator evaluator;
  final Exporter exporter;

  ExportBench(Path folder) {
    store = new DatasetStore(folder, ArchiveLimits.DEFAULT, DatasetStore.USUAL_PREPARED_BYTES);
    Datasets datasets = new Datasets(store);
    evaluator =
        TestEvaluators.of(
            datasets, new IntegerGraph(Processor.detect()), TestEvaluators.limits(2, 1, 10, 4, 4));
    exporter = new Exporter(evaluator);
  }

  DataSelection imported(Path file, String preset) throws IOException {
    try (DatasetUpload upload =
        store.upload(
            file.getFileName().toString(),
            Optional.empty(),
            Optional.of(Preprocessing.preset(preset)))) {
      upload.write(ByteBuffer.wrap(Files.readAllBytes(file)));
      return DataSelection.all(upload.finish(() -> false).id());
    }
  }

  static DataSelection first(DataSelection data, int images) {
    return data.withMaxImages(images);
  }

  /** Every width from 3 to 8, first and last layer at 8, and operands and layers left in float. */
  static Policy mixed(int layers) {
    Random random = new Random(5);
    List<LayerBits> bits = new ArrayList<>();
    for (int k = 0; k < layers; k++) {
      BitWidth weights = BitWidth.of(4 + (k + 4) % 5);
      BitWidth activations = BitWidth.of(4 + random.nextInt(5));
      bits.add(
          switch (k % 7) {
            case 2 -> new LayerBits(BitWidth.FLOAT, activations);
            case 4 -> new LayerBits(weights, BitWidth.FLOAT);
            case 6 -> LayerBits.unquantized();
            default -> new LayerBits(weights, activations);
          });
    }
    return new Policy(bits).with(0, LayerBits.of(8, 8)).with(layers - 1, LayerBits.of(8, 8));
  }

  @Override
  public void close() {
    evaluator.close();
  }
}
