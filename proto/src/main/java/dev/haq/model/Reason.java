package dev.haq.model;

/**
 * Why a request could not be served. A reason travels with every error, as {@code
 * google.rpc.ErrorInfo.reason} on gRPC and as {@code reason} in a problem document, so that a
 * program can tell errors apart without reading their text.
 */
public enum Reason {
  /** A field of the request has a value it may not have. */
  INVALID_ARGUMENT(Kind.CALLER),
  /** A bit-width outside what is allowed, or of a layer that does not exist. */
  INVALID_BITS(Kind.CALLER),
  /** A policy that names other layers than the network has, or was made for another model. */
  POLICY_MISMATCH(Kind.CALLER),
  /** The bytes are not a readable ONNX model. */
  INVALID_MODEL(Kind.CALLER),
  /** The model has no convolution or fully connected layer with constant weights. */
  NO_QUANTIZABLE_LAYERS(Kind.CALLER),
  /** The model uses an operator, or a form of one, that cannot be handled. */
  UNSUPPORTED_OPERATOR(Kind.CALLER),
  /** The images or their archive cannot be read. */
  INVALID_DATASET(Kind.CALLER),
  /** Fine-tuning made the network worse than guessing in its first epoch: its rate is too high. */
  TRAINING_DIVERGES(Kind.CALLER),
  /** An image's size is not the one the model takes. */
  IMAGE_SIZE_MISMATCH(Kind.CALLER),
  /** A label is not one of the model's classes. */
  LABEL_OUT_OF_RANGE(Kind.CALLER),
  /** No policy, not even at the lowest bit-widths, meets the budget. */
  BUDGET_INFEASIBLE(Kind.STATE),
  /** The target has no model of this resource (for instance energy without energy figures). */
  RESOURCE_NOT_MODELLED(Kind.STATE),
  /** An exported file, run again, scores otherwise than the evaluation. */
  EXPORT_DIFFERS(Kind.STATE),
  /** The session's state does not allow this. */
  ILLEGAL_STATE(Kind.STATE),
  /** There is no target of this name. */
  UNKNOWN_TARGET(Kind.MISSING),
  /** There is no model of this id. */
  UNKNOWN_MODEL(Kind.MISSING),
  /** There is no dataset of this id. */
  UNKNOWN_DATASET(Kind.MISSING),
  /** There is no session of this id. */
  UNKNOWN_SESSION(Kind.MISSING),
  /** The session has no such episode, or none yet that meets the budget. */
  UNKNOWN_EPISODE(Kind.MISSING),
  /** The same request id was used for a different request. */
  REQUEST_ID_REUSED(Kind.CONFLICT),
  /** The session has changed since the caller read it. */
  SESSION_CHANGED(Kind.CHANGED),
  /** The request is larger than this service takes. */
  TOO_LARGE(Kind.EXHAUSTED),
  /** A service's disk has no room for what was sent; its owner has to make some. */
  DISK_FULL(Kind.EXHAUSTED),
  /** Too much is running already; try again later. */
  BUSY(Kind.EXHAUSTED),
  /** The caller left, or the deadline passed. */
  CANCELLED(Kind.CANCELLED),
  /** The call did not finish in the time it was given. */
  DEADLINE_EXCEEDED(Kind.DEADLINE),
  /** A service that is needed does not answer; a retry may succeed. */
  UNAVAILABLE(Kind.UNAVAILABLE),
  /** A fault of the service itself. */
  INTERNAL(Kind.FAULT);

  /** The families of reasons; each maps to one gRPC status and one HTTP status. */
  public enum Kind {
    CALLER,
    STATE,
    MISSING,
    CONFLICT,
    CHANGED,
    EXHAUSTED,
    CANCELLED,
    DEADLINE,
    UNAVAILABLE,
    FAULT
  }

  private final Kind kind;

  Reason(Kind kind) {
    this.kind = kind;
  }

  /** The family this reason belongs to. */
  public Kind kind() {
    return kind;
  }
}
