package dev.haq.quantizer.disk;

import dev.haq.model.FullDisk;
import dev.haq.model.HaqException;
import dev.haq.model.Reason;

/** What errors of reading and writing are to whoever asked. */
public final class DiskErrors {
  private DiskErrors() {}

  /**
   * The error to be answered with: DISK_FULL, or INTERNAL.
   *
   * @param what cannot be done
   */
  public static HaqException failed(String what, Exception e) {
    return FullDisk.caused(e)
        ? new HaqException(
            Reason.DISK_FULL,
            what
                + ": the service's disk is full; delete models or datasets that nobody needs (DELETE"
                + " /v1/models/ID, /v1/datasets/ID), make room in its data folder (HAQ_HOME of the haq"
                + " command) or give it a larger disk, then call again",
            e)
        : new HaqException(Reason.INTERNAL, what + ": " + e.getMessage(), e);
  }
}
