package dev.haq.hwsim.grpc;

import dev.haq.hwsim.accelerator.AcceleratorFile;
import dev.haq.hwsim.accelerator.Catalogue;
import dev.haq.hwsim.cost.CostModel;
import dev.haq.model.HaqException;
import dev.haq.proto.hwsim.v1.ParameterOverride;
import dev.haq.proto.hwsim.v1.Target;
import dev.haq.proto.hwsim.v1.TargetRef;
import java.util.LinkedHashMap;
import java.util.Map;

/** What a request's target stands for. */
final class Targets {
  private static final String ACCELERATOR = "target.accelerator";

  /** Most figures that a request may override. */
  private static final int MAX_OVERRIDES = 100;

  private final Catalogue catalogue;
  private final int maxBatch;

  Targets(Catalogue catalogue, int maxBatch) {
    this.catalogue = catalogue;
    this.maxBatch = maxBatch;
  }

  /**
   * What it is.
   *
   * @param origin what messages call an accelerator; empty for its field
   */
  Target describe(TargetRef target, String origin) {
    AcceleratorFile file = file(target, origin.isBlank() ? ACCELERATOR : origin);
    return TargetWire.toProto(file.accelerator()).toBuilder()
        .setBatch(model(file, batch(target)).batch())
        .setDescriptionYaml(file.text())
        .build();
  }

  /** Its cost model. */
  CostModel model(TargetRef target) {
    int batch = batch(target);
    if (target.hasLookupTable()) {
      if (target.getOverridesCount() > 0) {
        throw HaqException.invalid(
            "target.overrides: a lookup_table has no figures to override; leave them out");
      }
      return TargetWire.lookupTable(target.getLookupTable(), batch);
    }
    return model(file(target), batch);
  }

  /** The cost model of a described accelerator; a batch of 0 is its own. */
  CostModel model(AcceleratorFile file, int batch) {
    int images = batch == 0 ? file.accelerator().batch() : batch;
    if (images > maxBatch) {
      throw HaqException.invalid(
          "the target's own batch is %d images: give 1 to %d", images, maxBatch);
    }
    return file.accelerator().costModel(images);
  }

  int batch(TargetRef target) {
    int batch = target.getBatch();
    if (batch < 0 || batch > maxBatch) {
      throw HaqException.invalid(
          "target.batch is %d: give 1 to %d, or 0 for the target's own", batch, maxBatch);
    }
    return batch;
  }

  /** The description of a named or described accelerator, overrides applied. */
  AcceleratorFile file(TargetRef target) {
    return file(target, ACCELERATOR);
  }

  private AcceleratorFile file(TargetRef target, String origin) {
    AcceleratorFile file =
        switch (target.getTargetCase()) {
          case NAME -> catalogue.file(target.getName());
          case ACCELERATOR -> AcceleratorFile.parse(origin, target.getAccelerator());
          case LOOKUP_TABLE ->
              throw HaqException.invalid(
                  "target is a lookup_table, which has no figures: give a name or an accelerator");
          case TARGET_NOT_SET ->
              throw HaqException.invalid(
                  "target is missing: give a name, a lookup_table or an accelerator");
        };
    if (target.getOverridesCount() > MAX_OVERRIDES) {
      throw HaqException.invalid(
          "target.overrides has %d entries: give at most %d",
          target.getOverridesCount(), MAX_OVERRIDES);
    }
    Map<String, Object> values = new LinkedHashMap<>();
    for (ParameterOverride override : target.getOverridesList()) {
      values.put(
          override.getKey(),
          switch (override.getValueCase()) {
            case NUMBER -> override.getNumber();
            case WORD -> override.getWord();
            case VALUE_NOT_SET ->
                throw HaqException.invalid(
                    "target.overrides: key %s has no value: give a number or a word",
                    override.getKey());
          });
    }
    return file.with(values);
  }

  /** A name for metrics, of which there are only so many. */
  static String label(TargetRef target) {
    return switch (target.getTargetCase()) {
      case NAME -> target.getName();
      case LOOKUP_TABLE -> "lookup_table";
      case ACCELERATOR -> "described";
      case TARGET_NOT_SET -> "none";
    };
  }
}
