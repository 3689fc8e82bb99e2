package dev.haq.quantizer.data;

/**
 * What an uploaded dataset may be, so that a hostile or mistaken one cannot fill the disk or
 * memory.
 *
 * @param uploadBytes of the file as sent
 * @param entries files and folders of an archive
 * @param entryBytes one unpacked file
 * @param unpackedBytes all unpacked files together
 * @param ratio unpacked to packed bytes of one file of more than a mebibyte; PNG and JPEG hardly
 *     pack
 */
public record ArchiveLimits(
    long uploadBytes, int entries, long entryBytes, long unpackedBytes, int ratio) {
  private static final long MEBIBYTE = 1 << 20;

  /** Deflate packs at most about 1032 to 1. */
  private static final int ANY_RATIO = 2000;

  /** 2 GiB uploaded, 200,000 files of at most 64 MiB, 4 GiB unpacked, 200 to 1. */
  public static final ArchiveLimits DEFAULT =
      new ArchiveLimits(2048 * MEBIBYTE, 200_000, 64 * MEBIBYTE, 4096 * MEBIBYTE, 200);

  /**
   * The same for archives whose entries are whole arrays: one may take all the room there is, and
   * labels in order pack very well.
   */
  ArchiveLimits forArrays() {
    return new ArchiveLimits(uploadBytes, entries, unpackedBytes, unpackedBytes, ANY_RATIO);
  }
}
