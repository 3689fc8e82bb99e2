package dev.haq.cli;

import dev.haq.model.Resource;
import java.util.Optional;

/**
 * How a measured table is to be read.
 *
 * @param said what the user says its cells are, latency or energy; empty: what the file says
 * @param otherwise what they are where the file does not say it either, latency or energy
 * @param clockHz above 0 when the cells are cycles; 0 when they are seconds or joules
 * @param batch images in the measured batch, as the user says; 0: what the file says, else one
 */
record TableReading(Optional<Resource> said, Resource otherwise, double clockHz, int batch) {
  /** For a file that does not say it. */
  Resource resource() {
    return said.orElse(otherwise);
  }
}
