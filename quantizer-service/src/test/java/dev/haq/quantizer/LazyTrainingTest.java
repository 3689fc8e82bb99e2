package dev.haq.quantizer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.haq.proto.quantizer.v1.GetModelRequest;
import dev.haq.proto.quantizer.v1.QuantizerGrpc;
import dev.haq.rpc.ServiceRuntime;
import io.grpc.ManagedChannel;
import io.grpc.ManagedChannelBuilder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A service that trains nothing, in a process of its own. */
final class LazyTrainingTest {
  @TempDir private Path folder;

  /** Starts a service, asks it something and stops it: {@code DATA_DIR}. */
  public static void main(String[] args) {
    try (ServiceRuntime runtime = ServiceRuntime.create();
        QuantizerService service =
            QuantizerService.start(
                runtime,
                QuantizerSettings.defaults()
                    .withAddress("127.0.0.1", 0)
                    .withDataDir(Path.of(args[0])))) {
      ManagedChannel channel =
          ManagedChannelBuilder.forAddress("127.0.0.1", service.port()).usePlaintext().build();
      QuantizerGrpc.newBlockingStub(channel)
          .getModel(GetModelRequest.newBuilder().setId("builtin:shapes").build());
      channel.shutdownNow();
    }
  }

  @Test
  void theTrainingLibraryIsNotLoadedBeforeItIsNeeded() throws Exception {
    Path loaded = folder.resolve("classes.log");
    Process process =
        new ProcessBuilder(
                List.of(
                    ProcessHandle.current().info().command().orElse("java"),
                    "-Xmx512m",
                    "-Xlog:class+load:file=" + loaded,
                    "-cp",
                    System.getProperty(
                        "surefire.test.class.path", System.getProperty("java.class.path")),
                    LazyTrainingTest.class.getName(),
                    folder.resolve("data").toString()))
            .redirectErrorStream(true)
            .redirectOutput(folder.resolve("output.log").toFile())
            .start();
    assertEquals(0, process.waitFor(), Files.readString(folder.resolve("output.log")));
    try (Stream<String> lines = Files.lines(loaded)) {
      List<String> names = lines.toList();
      assertTrue(names.stream().anyMatch(line -> line.contains("StraightThroughTuner")));
      assertEquals(List.of(), names.stream().filter(line -> line.contains("ai.djl.")).toList());
    }
  }
}
