package dev.haq.cli;

import static org.junit.jupiter.api.Assertions.assertNotEquals;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ServeGrpcTest {
  private static final Pattern GATEWAY = Pattern.compile("gRPC gateway at 127.0.0.1:(\\d+)");

  @TempDir Path folder;

  @Test
  void thePublicApiIsServedWhereTheEnvironmentSaysSo() throws Exception {
    try (Child serve =
        Child.start(
            "dev.haq.cli.Haq",
            List.of("serve", "--port", "0", "--data-dir", folder.toString()),
            Map.of("HAQ_GATEWAY_GRPC", "true", "HAQ_GATEWAY_GRPC_PORT", "0"))) {
      assertNotEquals("0", serve.await(GATEWAY));
    }
  }
}
