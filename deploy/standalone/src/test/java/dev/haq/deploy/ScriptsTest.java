package dev.haq.deploy;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The scripts that put a class path together, in a checkout where another version was built. */
@Timeout(60)
class ScriptsTest {
  @TempDir private Path checkout;

  @BeforeEach
  void buildAnotherVersion() throws IOException {
    for (String old :
        List.of(
            "hwsim-service/target/hwsim-service-1.jar",
            "hwsim-service/target/dependency/library-1.jar",
            "out/lib/library-1.jar",
            "deploy/standalone/target/standalone-1.jar",
            "deploy/standalone/target/lib/library-1.jar")) {
      touch(old);
    }
  }

  @Test
  void aServiceIsPackagedWithoutJarsOfAnotherVersion() throws IOException, InterruptedException {
    program("bin/mvn", create("hwsim-service/target", "hwsim-service-2.jar", "dependency"));
    run(Map.of(), DeployFiles.file("docker/package").toString(), "hwsim", "out");
    try (Stream<Path> jars = Files.list(checkout.resolve("out/lib"))) {
      Set<String> names =
          jars.map(jar -> jar.getFileName().toString())
              .collect(Collectors.toCollection(TreeSet::new));
      assertEquals(Set.of("hwsim-service-2.jar", "library-2.jar"), names);
    }
  }

  @Test
  void theCommandIsRunWithoutJarsOfAnotherVersion() throws IOException, InterruptedException {
    Files.copy(DeployFiles.file("../haq"), checkout.resolve("haq"));
    touch("pom.xml");
    program("bin/mvn", create("deploy/standalone/target", "standalone-2.jar", "lib"));
    program(
        "jdk/bin/java",
        "if [ \"$1\" = -version ]; then echo 'openjdk version \"17.0.1\"' >&2; else echo \"$@\"; fi");
    program("jdk/bin/javac", "");
    String said =
        run(
            Map.of("JAVA_HOME", checkout.resolve("jdk").toString()),
            checkout.resolve("haq").toString(),
            "targets");
    Path target = checkout.toRealPath().resolve("deploy/standalone/target");
    assertTrue(said.contains(" -cp %s/standalone-2.jar:%s/lib/* ".formatted(target, target)), said);
  }

  /** A build of version 2 in a folder. */
  private static String create(String target, String jar, String libraries) {
    return "cd '%s' && mkdir -p %s && touch %s %s/library-2.jar"
        .formatted(target, libraries, jar, libraries);
  }

  private void touch(String file) throws IOException {
    Files.createDirectories(checkout.resolve(file).getParent());
    Files.createFile(checkout.resolve(file));
  }

  private void program(String file, String does) throws IOException {
    touch(file);
    Files.writeString(checkout.resolve(file), "#!/bin/sh\n" + does + "\n");
    Files.setPosixFilePermissions(
        checkout.resolve(file), PosixFilePermissions.fromString("rwxr-xr-x"));
  }

  private String run(Map<String, String> environment, String... script)
      throws IOException, InterruptedException {
    ProcessBuilder builder =
        new ProcessBuilder(Stream.concat(Stream.of("/bin/sh"), Stream.of(script)).toList())
            .directory(checkout.toFile())
            .redirectErrorStream(true);
    builder.environment().putAll(environment);
    builder
        .environment()
        .merge("PATH", checkout.resolve("bin").toString(), (path, own) -> own + ":" + path);
    Process process = builder.start();
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertEquals(0, process.waitFor(), said);
    return said;
  }
}
