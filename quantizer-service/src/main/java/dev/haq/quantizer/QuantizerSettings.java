package dev.haq.quantizer;

import dev.haq.model.HaqException;
import dev.haq.quantizer.data.ArchiveLimits;
import dev.haq.quantizer.eval.EvaluationLimits;
import dev.haq.rpc.Settings;
import java.nio.file.Path;
import java.util.Optional;

/**
 * The quantizer's settings; {@code quantizer.yaml} among the resources holds and explains every
 * default.
 *
 * @param port 1..65535, or 0 for any free port
 * @param dataDir where models and datasets lie
 * @param threads that run images; 0 for one a core
 */
public record QuantizerSettings(
    String host, int port, Path dataDir, int threads, Limits limits, Cache cache) {
  /** The resource that holds the defaults. */
  public static final String RESOURCE = "quantizer.yaml";

  /** The most that a request may ask for; each at least 1. */
  public record Limits(
      long modelBytes,
      long datasetBytes,
      long unpackedBytes,
      int entries,
      long entryBytes,
      int packingRatio,
      int concurrent) {
    public Limits {
      positive("limits.model-bytes", modelBytes);
      positive("limits.dataset-bytes", datasetBytes);
      positive("limits.unpacked-bytes", unpackedBytes);
      positive("limits.entries", entries);
      positive("limits.entry-bytes", entryBytes);
      positive("limits.packing-ratio", packingRatio);
      positive("limits.concurrent", concurrent);
    }
  }

  /** Bounds of what is kept in memory; each at least 1. */
  public record Cache(
      long imageBytes,
      int models,
      int calibrations,
      int answers,
      long floatScoreBytes,
      long activationBytes) {
    public Cache {
      positive("cache.image-bytes", imageBytes);
      positive("cache.models", models);
      positive("cache.calibrations", calibrations);
      positive("cache.answers", answers);
      positive("cache.float-score-bytes", floatScoreBytes);
      positive("cache.activation-bytes", activationBytes);
    }
  }

  public QuantizerSettings {
    if (host == null || host.isBlank() || dataDir == null || limits == null || cache == null) {
      throw HaqException.invalid("the keys host, data-dir, limits and cache must be given");
    }
    if (port < 0 || port > 65535) {
      throw HaqException.invalid("port %d is not between 0 and 65535", port);
    }
    if (threads < 0) {
      throw HaqException.invalid("threads %d must not be negative", threads);
    }
  }

  /** The defaults, with what the environment overrides. */
  public static QuantizerSettings defaults() {
    return Settings.load(QuantizerSettings.class, RESOURCE, Optional.empty());
  }

  /** These settings with another address to listen at. */
  public QuantizerSettings withAddress(String newHost, int newPort) {
    return new QuantizerSettings(newHost, newPort, dataDir, threads, limits, cache);
  }

  /** These settings with another place for models and datasets. */
  public QuantizerSettings withDataDir(Path newDataDir) {
    return new QuantizerSettings(host, port, newDataDir, threads, limits, cache);
  }

  ArchiveLimits archiveLimits() {
    return new ArchiveLimits(
        limits.datasetBytes(),
        limits.entries(),
        limits.entryBytes(),
        limits.unpackedBytes(),
        limits.packingRatio());
  }

  EvaluationLimits evaluatorLimits() {
    return new EvaluationLimits(
        threads == 0 ? Runtime.getRuntime().availableProcessors() : threads,
        limits.concurrent(),
        cache.answers(),
        cache.calibrations(),
        cache.models(),
        cache.floatScoreBytes(),
        cache.activationBytes());
  }

  private static void positive(String key, long value) {
    if (value <= 0) {
      throw HaqException.invalid("%s %d must be above 0", key, value);
    }
  }
}
