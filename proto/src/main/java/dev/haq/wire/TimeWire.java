package dev.haq.wire;

import com.google.protobuf.Timestamp;
import java.time.Instant;

/** Points in time. */
public final class TimeWire {
  private TimeWire() {}

  public static Timestamp toProto(Instant time) {
    return Timestamp.newBuilder()
        .setSeconds(time.getEpochSecond())
        .setNanos(time.getNano())
        .build();
  }

  public static Instant fromProto(Timestamp message) {
    return Instant.ofEpochSecond(message.getSeconds(), message.getNanos());
  }
}
