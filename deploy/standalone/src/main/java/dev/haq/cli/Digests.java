package dev.haq.cli;

import dev.haq.model.HaqException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/** Content addresses as the services write them: {@code sha256:} and 64 hexadecimal digits. */
final class Digests {
  private Digests() {}

  static String of(Path file) {
    return of(file, "");
  }

  /** Of the file's bytes followed by a text's. */
  static String of(Path file, String suffix) {
    MessageDigest digest = sha256();
    try (InputStream in = new DigestInputStream(Files.newInputStream(file), digest)) {
      in.transferTo(OutputStream.nullOutputStream());
    } catch (IOException e) {
      throw HaqException.invalid("%s cannot be read: %s", file, FileFault.why(e));
    }
    digest.update(suffix.getBytes(StandardCharsets.UTF_8));
    return "sha256:" + HexFormat.of().formatHex(digest.digest());
  }

  /** Whether {@code text} names something stored rather than a file. */
  static boolean isId(String text) {
    return text.startsWith("sha256:") || text.startsWith("builtin:");
  }

  private static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
  }
}
