package dev.haq.quantizer.grpc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.haq.model.FullDisk;
import dev.haq.model.Reason;
import dev.haq.proto.model.v1.BitChoices;
import dev.haq.proto.model.v1.DataSelection;
import dev.haq.proto.quantizer.v1.Dataset;
import dev.haq.proto.quantizer.v1.DeleteDatasetRequest;
import dev.haq.proto.quantizer.v1.DeleteModelRequest;
import dev.haq.proto.quantizer.v1.EvaluateRequest;
import dev.haq.proto.quantizer.v1.MeasureSensitivityRequest;
import dev.haq.proto.quantizer.v1.Model;
import dev.haq.quantizer.builtin.BuiltinShapes;
import dev.haq.quantizer.data.Samples;
import io.grpc.Status;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;
import org.apache.commons.compress.compressors.gzip.GzipCompressorOutputStream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A quantizer whose data folder is a file system of a few megabytes, filled to the last byte. */
@Timeout(300)
final class FullDiskTest {
  private static final int DISK_MEGABYTES = 8;
  private static final int IMAGES = 4000;

  /** Mounts the small disk, of which nobody else knows, and runs the rest of its arguments. */
  private static final List<String> ON_A_SMALL_DISK =
      List.of(
          "unshare",
          "--user",
          "--map-root-user",
          "--mount",
          "sh",
          "-c",
          "mount -t tmpfs -o size=" + DISK_MEGABYTES + "m none \"$0\" && exec \"$@\"");

  @TempDir private Path folder;

  /** What the service does on a disk that is small and then full: {@code DATA_DIR}. */
  public static void main(String[] args) throws IOException {
    Path disk = Path.of(args[0]);
    try (RunningQuantizer quantizer = new RunningQuantizer(disk)) {
      Model model = quantizer.importModel(RunningQuantizer.smallModel(10));
      // Some kilobytes as they are sent, 12 MB when they are prepared.
      Dataset data = quantizer.importDataset(Samples.zip(pictures(IMAGES)));
      assertEquals(20, evaluated(quantizer, model, data.getId(), 20));
      assertEquals(IMAGES, evaluated(quantizer, model, data.getId(), 0));

      Path filling = disk.resolve("filling");
      fill(filling);
      assertEquals(0, Files.getFileStore(disk).getUsableSpace());
      assertEquals(40, evaluated(quantizer, model, data.getId(), 40));
      assertEquals(500, evaluated(quantizer, model, BuiltinShapes.ID, 500));
      MeasureSensitivityRequest sensitivity =
          MeasureSensitivityRequest.newBuilder()
              .setModel(model.getId())
              .setData(selection(BuiltinShapes.ID, 20))
              .setWeightBits(BitChoices.newBuilder().addBits(4))
              .setActivationBits(BitChoices.newBuilder().addBits(4))
              .build();
      List<Object> entries = new ArrayList<>();
      quantizer.stub().measureSensitivity(sensitivity).forEachRemaining(entries::add);
      assertEquals(1 + 4, entries.size(), "two layers, weights and activations");
      refused(() -> quantizer.importModel(RunningQuantizer.smallModel(20)));
      refused(() -> quantizer.importDataset(Samples.zip(pictures(3))));

      Path spare = disk.resolve("spare");
      Files.delete(filling);
      Files.write(spare, new byte[512 << 10]);
      fill(filling);
      Files.delete(spare);
      byte[] packed = tarGz(pictures(IMAGES + 1));
      assertTrue(packed.length < 400 << 10, "there is room for what is sent: " + packed.length);
      refused(() -> quantizer.importDataset(packed));
      Files.delete(filling);
      Dataset larger = quantizer.importDataset(packed);

      fill(filling);
      refused(() -> quantizer.importModel(RunningQuantizer.smallModel(20)));
      quantizer
          .stub()
          .deleteDataset(DeleteDatasetRequest.newBuilder().setId(larger.getId()).build());
      quantizer.importModel(RunningQuantizer.smallModel(20));
      fill(filling);
      quantizer.stub().deleteModel(DeleteModelRequest.newBuilder().setId(model.getId()).build());
      quantizer.importModel(RunningQuantizer.smallModel(10));
    }
  }

  private static void refused(org.junit.jupiter.api.function.Executable upload) {
    String message =
        RunningQuantizer.refused(Status.Code.RESOURCE_EXHAUSTED, Reason.DISK_FULL, upload)
            .getMessage();
    assertTrue(message.contains("make room"), message);
  }

  private static long evaluated(
      RunningQuantizer quantizer, Model model, String dataset, int images) {
    EvaluateRequest request =
        EvaluateRequest.newBuilder()
            .setModel(model.getId())
            .setData(selection(dataset, images))
            .build();
    return quantizer.stub().evaluate(request).getAccuracy().getImages();
  }

  private static DataSelection selection(String dataset, int images) {
    return DataSelection.newBuilder()
        .setDataset(dataset)
        .setSplit(images == 0 ? DataSelection.Split.ALL : DataSelection.Split.SEARCH)
        .setMaxImages(images)
        .build();
  }

  private static Map<String, byte[]> pictures(int count) {
    Random random = new Random(count);
    Map<String, byte[]> files = new LinkedHashMap<>();
    for (int i = 0; i < count; i++) {
      files.put(i % 10 + "/" + i + ".png", Samples.png(32, 32, random.nextInt(1 << 24)));
    }
    return files;
  }

  private static byte[] tarGz(Map<String, byte[]> files) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (TarArchiveOutputStream tar =
        new TarArchiveOutputStream(new GzipCompressorOutputStream(bytes))) {
      for (Map.Entry<String, byte[]> file : files.entrySet()) {
        TarArchiveEntry entry = new TarArchiveEntry(file.getKey());
        entry.setSize(file.getValue().length);
        tar.putArchiveEntry(entry);
        tar.write(file.getValue());
        tar.closeArchiveEntry();
      }
    }
    return bytes.toByteArray();
  }

  /** Writes until nothing more is taken. */
  private static void fill(Path file) throws IOException {
    try (FileChannel out =
        FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
      java.nio.ByteBuffer page = java.nio.ByteBuffer.allocate(4096);
      while (true) {
        out.write(page.rewind());
      }
    } catch (IOException e) {
      if (!FullDisk.caused(e)) {
        throw e;
      }
    }
  }

  @Test
  void onAFullDiskUploadsAreRefusedWithAReasonAndEvaluationsGoOn() throws Exception {
    Path disk = Files.createDirectory(folder.resolve("disk"));
    Assumptions.assumeTrue(run(disk, List.of("true")) == 0, "no small disk can be mounted here");
    int status =
        run(
            disk,
            List.of(
                ProcessHandle.current().info().command().orElse("java"),
                "-Xmx512m",
                "-cp",
                System.getProperty(
                    "surefire.test.class.path", System.getProperty("java.class.path")),
                FullDiskTest.class.getName(),
                disk.toString()));
    assertEquals(0, status, Files.readString(folder.resolve("output.log")));
  }

  private int run(Path disk, List<String> command) throws IOException, InterruptedException {
    List<String> whole = new ArrayList<>(ON_A_SMALL_DISK);
    whole.add(disk.toString());
    whole.addAll(command);
    try {
      return new ProcessBuilder(whole)
          .redirectErrorStream(true)
          .redirectOutput(folder.resolve("output.log").toFile())
          .start()
          .waitFor();
    } catch (IOException e) {
      return -1; // there is no such command here
    }
  }
}
