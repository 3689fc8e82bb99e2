package dev.haq.rpc;

import com.google.protobuf.Any;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.rpc.ErrorInfo;
import com.google.rpc.Status;
import dev.haq.model.HaqException;
import dev.haq.model.Reason;
import io.grpc.Metadata;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.StatusProto;
import io.vertx.grpc.common.GrpcStatus;
import io.vertx.grpc.server.GrpcServerResponse;
import java.util.Base64;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Typed errors on the wire and back: a {@link HaqException} travels as a gRPC status with a {@code
 * google.rpc.ErrorInfo} that holds its reason and details, and arrives as an equal exception.
 */
public final class RpcErrors {
  /** The {@code domain} of every ErrorInfo of these services. */
  public static final String DOMAIN = "haq.dev";

  /**
   * Detail of an UNAVAILABLE error: the call that the service lacks, as an older version of it does
   * while an update is under way.
   */
  public static final String MISSING_CALL = "missing_call";

  private static final Logger LOG = LoggerFactory.getLogger(RpcErrors.class);
  private static final int LONGEST_MESSAGE = 1000;
  private static final Metadata.Key<byte[]> DETAILS =
      Metadata.Key.of("grpc-status-details-bin", Metadata.BINARY_BYTE_MARSHALLER);

  private RpcErrors() {}

  /** The gRPC status of an error of this reason. */
  public static GrpcStatus status(Reason reason) {
    return switch (reason.kind()) {
      case CALLER -> GrpcStatus.INVALID_ARGUMENT;
      case STATE -> GrpcStatus.FAILED_PRECONDITION;
      case MISSING -> GrpcStatus.NOT_FOUND;
      case CONFLICT -> GrpcStatus.ALREADY_EXISTS;
      case CHANGED -> GrpcStatus.ABORTED;
      case EXHAUSTED -> GrpcStatus.RESOURCE_EXHAUSTED;
      case CANCELLED -> GrpcStatus.CANCELLED;
      case DEADLINE -> GrpcStatus.DEADLINE_EXCEEDED;
      case UNAVAILABLE -> GrpcStatus.UNAVAILABLE;
      case FAULT -> GrpcStatus.INTERNAL;
    };
  }

  /**
   * Ends a call with the status, message and details of {@code failure}. To be called on the call's
   * context.
   */
  public static void send(Throwable failure, GrpcServerResponse<?, ?> response) {
    HaqException error = translate(failure);
    if (error.reason() == Reason.INTERNAL) {
      LOG.error("a call failed", failure);
    }
    GrpcStatus status = status(error.reason());
    String message = shortened(error.getMessage());
    Status details =
        Status.newBuilder()
            .setCode(status.code)
            .setMessage(message)
            .addDetails(
                Any.pack(
                    ErrorInfo.newBuilder()
                        .setReason(error.reason().name())
                        .setDomain(DOMAIN)
                        .putAllMetadata(error.details())
                        .build()))
            .build();
    setDetails(response, details.toByteArray());
    response.status(status).statusMessage(message);
    response.end();
  }

  /**
   * What a service itself said of a call that failed, a {@code google.rpc.Status} as bytes; empty
   * where the call did not get so far.
   */
  public static Optional<byte[]> details(Throwable failure) {
    return failure instanceof StatusRuntimeException status && status.getTrailers() != null
        ? Optional.ofNullable(status.getTrailers().get(DETAILS))
        : Optional.empty();
  }

  /** Says the same of an answer, which is still to be given its status. */
  public static void setDetails(GrpcServerResponse<?, ?> response, byte[] details) {
    response
        .trailers()
        .set(DETAILS.name(), Base64.getEncoder().withoutPadding().encodeToString(details));
  }

  /** Clients take 8 KiB of metadata, and the message travels in it twice. */
  private static String shortened(String message) {
    return message.length() <= LONGEST_MESSAGE
        ? message
        : message.substring(0, LONGEST_MESSAGE) + "...";
  }

  /**
   * The typed form of any failure: one that came over the wire is decoded, one that is typed is
   * returned, and anything else is INTERNAL.
   */
  public static HaqException translate(Throwable failure) {
    if (failure instanceof HaqException typed) {
      return typed;
    }
    if (failure instanceof StatusRuntimeException status) {
      return fromStatus(status);
    }
    if ((failure instanceof ExecutionException || failure instanceof CompletionException)
        && failure.getCause() != null) {
      return translate(failure.getCause());
    }
    if (failure instanceof CancellationException) {
      return new HaqException(Reason.CANCELLED, "the call was cancelled", failure);
    }
    String what =
        failure.getMessage() == null ? failure.getClass().getSimpleName() : failure.getMessage();
    return new HaqException(
        Reason.INTERNAL, "internal error: " + what.lines().findFirst().orElse(what), failure);
  }

  /** Makes a blocking call and throws its failure in typed form. */
  public static <R> R calling(Supplier<R> call) {
    try {
      return call.get();
    } catch (StatusRuntimeException e) {
      throw fromStatus(e);
    }
  }

  private static HaqException fromStatus(StatusRuntimeException failure) {
    String message = failure.getStatus().getDescription();
    Status details = StatusProto.fromThrowable(failure);
    if (details != null) {
      for (Any detail : details.getDetailsList()) {
        ErrorInfo info = errorInfo(detail);
        if (info != null) {
          return new HaqException(
              reason(info, failure), details.getMessage(), info.getMetadataMap(), failure);
        }
      }
    }
    if (failure.getStatus().getCode() == io.grpc.Status.Code.UNIMPLEMENTED) {
      return missing(failure);
    }
    String text =
        message == null ? "the service answered " + failure.getStatus().getCode() : message;
    return new HaqException(reason(failure), text, Map.of(), failure);
  }

  private static HaqException missing(StatusRuntimeException failure) {
    String call =
        failure.getTrailers() == null ? null : failure.getTrailers().get(MissingCalls.CALL);
    String name = call == null ? "that was made" : call;
    return new HaqException(
        Reason.UNAVAILABLE, lacking("the service", name), Map.of(MISSING_CALL, name), failure);
  }

  /** Says that a service, named for people, lacks a call. */
  public static String lacking(String service, String call) {
    return "%s lacks the call %s: a replica of it is of an older version (finish its update), or its address is another service's"
        .formatted(service, call);
  }

  private static ErrorInfo errorInfo(Any detail) {
    if (!detail.is(ErrorInfo.class)) {
      return null;
    }
    try {
      return detail.unpack(ErrorInfo.class);
    } catch (InvalidProtocolBufferException e) {
      LOG.warn("unreadable error details: {}", e.getMessage());
      return null;
    }
  }

  private static Reason reason(ErrorInfo info, StatusRuntimeException failure) {
    for (Reason known : Reason.values()) {
      if (known.name().equals(info.getReason())) {
        return known;
      }
    }
    // A newer service may know reasons that this caller does not; the status still tells the
    // family.
    return reason(failure);
  }

  private static Reason reason(StatusRuntimeException failure) {
    return switch (failure.getStatus().getCode()) {
      case INVALID_ARGUMENT, OUT_OF_RANGE -> Reason.INVALID_ARGUMENT;
      case FAILED_PRECONDITION -> Reason.ILLEGAL_STATE;
      case ABORTED -> Reason.SESSION_CHANGED;
      case NOT_FOUND -> Reason.UNKNOWN_SESSION;
      case ALREADY_EXISTS -> Reason.REQUEST_ID_REUSED;
      case RESOURCE_EXHAUSTED -> Reason.TOO_LARGE;
      case CANCELLED -> Reason.CANCELLED;
      case DEADLINE_EXCEEDED -> Reason.DEADLINE_EXCEEDED;
      case UNAVAILABLE -> Reason.UNAVAILABLE;
      default -> Reason.INTERNAL;
    };
  }
}
