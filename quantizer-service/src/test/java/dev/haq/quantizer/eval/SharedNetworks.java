package dev.haq.quantizer.eval;

import dev.haq.model.DataSelection;
import dev.haq.model.Preprocessing;
import dev.haq.quantizer.data.ArchiveLimits;
import dev.haq.quantizer.data.DatasetStore;
import dev.haq.quantizer.data.DatasetUpload;
import dev.haq.quantizer.data.Datasets;
import dev.haq.quantizer.importing.ModelImporter;
import dev.haq.quantizer.onnx.ImportedModel;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/**
 * Real networks with images to judge them on and others to calibrate them with, which are never the
 * same.
 *
 * @param folds every part of the images to judge on, with what to calibrate for it
 */
record SharedNetworks(ImportedModel model, List<Fold> folds) {
  /** Where the shared data is; need not exist. */
  static final Path SHARED = Path.of(System.getProperty("haq.shared", "absent"), "data");

  record Fold(Images calibration, Images judged) {}

  /** ResNet-20: 1,000 test images, calibrated on training images. */
  static SharedNetworks resNet20(Path store, int calibrationImages, int judged) throws IOException {
    Path cifar = SHARED.resolve("cifar10");
    Preprocessing preprocessing = Preprocessing.preset("cifar10");
    Images test =
        images(
            store, Files.readAllBytes(cifar.resolve("test_lossless_1000.bin")), preprocessing, 32);
    Images train =
        images(
            store,
            zip(cifar.resolve("train_lossless_2000"), cifar, Integer.MAX_VALUE),
            preprocessing,
            32);
    // The folder lists one class after the other.
    int step = train.size() / calibrationImages;
    return new SharedNetworks(
        model(cifar.resolve("resnet20.onnx")),
        List.of(
            new Fold(
                part(train, IntStream.range(0, calibrationImages).map(i -> i * step)),
                part(test, IntStream.range(0, judged)))));
  }

  /**
   * A MobileNet on photographs: each half is judged calibrated on images of the other.
   *
   * @param count of photographs, 2 to 500
   */
  static SharedNetworks mobileNet(Path store, int version, int calibrationImages, int count)
      throws IOException {
    Path imagenet = SHARED.resolve("imagenet");
    Preprocessing preprocessing =
        version == 1 ? tensorFlowAt224() : Preprocessing.preset("imagenet");
    Images all =
        images(store, zip(imagenet.resolve("val_500"), imagenet, count), preprocessing, 224);
    List<Fold> folds =
        IntStream.of(0, 1)
            .mapToObj(
                half ->
                    new Fold(
                        part(
                            all,
                            IntStream.range(0, calibrationImages)
                                .map(
                                    i ->
                                        i * Math.max(1, all.size() / 2 / calibrationImages) * 2
                                            + 1
                                            - half)),
                        part(all, IntStream.range(0, all.size() / 2).map(i -> 2 * i + half))))
            .toList();
    String name = version == 1 ? "mobilenetv1_0.75_224.onnx" : "mobilenetv2_1.0_224.onnx";
    return new SharedNetworks(model(imagenet.resolve(name)), folds);
  }

  private static Preprocessing tensorFlowAt224() {
    Preprocessing imagenet = Preprocessing.preset("imagenet");
    Preprocessing scaled = Preprocessing.preset("tensorflow");
    return new Preprocessing(
        imagenet.resizeShortSide(),
        imagenet.cropHeight(),
        scaled.mean(),
        scaled.std(),
        imagenet.channels());
  }

  private static ImportedModel model(Path file) throws IOException {
    return ModelImporter.read(Files.readAllBytes(file), "id", file.getFileName().toString());
  }

  private static Images images(Path store, byte[] archive, Preprocessing preprocessing, int side)
      throws IOException {
    DatasetStore datasets =
        new DatasetStore(store, ArchiveLimits.DEFAULT, DatasetStore.USUAL_PREPARED_BYTES);
    try (DatasetUpload upload =
        datasets.upload("images", Optional.empty(), Optional.of(preprocessing))) {
      upload.write(ByteBuffer.wrap(archive));
      DataSelection all = DataSelection.all(upload.finish(() -> false).id());
      return new Datasets(datasets).images(all, List.of(3, side, side), 1000, () -> false);
    }
  }

  /** A folder of class folders, and the list of classes where there is one, as an archive. */
  private static byte[] zip(Path folder, Path root, int most) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (ZipOutputStream zip = new ZipOutputStream(bytes);
        Stream<Path> walked = Files.walk(folder)) {
      for (Path file : walked.filter(Files::isRegularFile).sorted().limit(most).toList()) {
        zip.putNextEntry(new ZipEntry(folder.relativize(file).toString()));
        Files.copy(file, zip);
      }
      Path classes = root.resolve("classes.txt");
      if (Files.exists(classes) && !Files.exists(folder.resolve("classes.txt"))) {
        zip.putNextEntry(new ZipEntry("classes.txt"));
        Files.copy(classes, zip);
      }
    }
    return bytes.toByteArray();
  }

  private static Images part(Images all, IntStream indices) {
    return new Part(all, indices.toArray());
  }

  private record Part(Images all, int[] indices) implements Images {
    @Override
    public int size() {
      return indices.length;
    }

    @Override
    public int label(int image) {
      return all.label(indices[image]);
    }

    @Override
    public void read(int image, float[] target, int offset) {
      all.read(indices[image], target, offset);
    }
  }
}
