package dev.haq.quantizer.data;

import dev.haq.model.Preprocessing;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/**
 * What is known of a dataset without opening it.
 *
 * @param id {@code sha256:...} or {@code builtin:shapes}
 * @param name for people
 * @param images at least 1
 * @param classes highest label plus one
 * @param preprocessing what the dataset declares; empty: its images are taken as they are
 * @param sizeBytes of the stored file; 0 of the built-in
 * @param notes for people: what was decided of the data that they do not say
 * @param created when it was imported; the epoch for the built-in
 */
public record DatasetInfo(
    String id,
    String name,
    int images,
    int classes,
    DatasetFormat format,
    Optional<Preprocessing> preprocessing,
    long sizeBytes,
    List<String> notes,
    Instant created) {}
