package dev.haq.quantizer.disk;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/** The SHA-256 of what is added, by which things are known and files are named. */
public final class Sha256 {
  private final MessageDigest digest;

  public Sha256() {
    try {
      digest = MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("every Java has SHA-256", e);
    }
  }

  public Sha256 add(byte[] bytes) {
    return add(ByteBuffer.wrap(bytes));
  }

  /** In UTF-8. */
  public Sha256 add(String text) {
    return add(text.getBytes(StandardCharsets.UTF_8));
  }

  /** What is left of the buffer. */
  public Sha256 add(ByteBuffer bytes) {
    digest.update(bytes);
    return this;
  }

  /** In hexadecimal, of all that was added; nothing can be added after. */
  public String hex() {
    return HexFormat.of().formatHex(digest.digest());
  }
}
