package dev.haq.hwsim.accelerator;

import dev.haq.model.HaqException;
import dev.haq.model.Reason;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The accelerators that are known by name. */
public final class Catalogue {
  /** Files among the resources, in the order they are listed. */
  private static final List<String> BUILT_IN =
      List.of(
          "bismo-cloud",
          "bismo-edge",
          "bitfusion",
          "vnni-cpu",
          "tensor-core-gpu",
          "variable-bit-npu");

  private final Map<String, AcceleratorFile> byName = new LinkedHashMap<>();

  private Catalogue(List<AcceleratorFile> files) {
    files.forEach(file -> byName.put(file.accelerator().name(), file));
  }

  /** The accelerators that come with this service. */
  public static Catalogue builtIn() {
    return new Catalogue(BUILT_IN.stream().map(Catalogue::resource).toList());
  }

  private static AcceleratorFile resource(String name) {
    String path = "/accelerators/" + name + ".yaml";
    try (InputStream in = Catalogue.class.getResourceAsStream(path)) {
      if (in == null) {
        throw new IllegalStateException("no resource " + path);
      }
      return AcceleratorFile.parse(name, new String(in.readAllBytes(), StandardCharsets.UTF_8));
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read the resource " + path, e);
    }
  }

  /** All of them, in the order they are listed. */
  public List<Accelerator> all() {
    return byName.values().stream().map(AcceleratorFile::accelerator).toList();
  }

  /**
   * The file of one of them.
   *
   * @throws HaqException UNKNOWN_TARGET with the names there are
   */
  public AcceleratorFile file(String name) {
    AcceleratorFile found = byName.get(name);
    if (found == null) {
      throw new HaqException(
          Reason.UNKNOWN_TARGET,
          "there is no target '%s': choose one of %s"
              .formatted(name, String.join(", ", byName.keySet())));
    }
    return found;
  }
}
