package dev.haq.gateway.http;

import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Message;
import dev.haq.model.HaqException;
import dev.haq.model.Reason;
import io.vertx.ext.web.RoutingContext;
import io.vertx.ext.web.handler.HttpException;
import java.util.List;
import java.util.Optional;

/** What a request says beside its body: path and query parameters, read strictly. */
final class Query {
  private Query() {}

  /** A parameter of the route's path; the router matched it, so it is there. */
  static String path(RoutingContext ctx, String name) {
    return ctx.pathParam(name);
  }

  /** A query parameter; empty when it is absent or blank. */
  static Optional<String> text(RoutingContext ctx, String name) {
    List<String> values = all(ctx, name);
    if (values.size() > 1) {
      throw HaqException.invalid("parameter '%s' is given %d times", name, values.size());
    }
    return values.isEmpty() || values.get(0).isBlank()
        ? Optional.empty()
        : Optional.of(values.get(0));
  }

  /** Every value of a query parameter, in order. */
  static List<String> all(RoutingContext ctx, String name) {
    try {
      return ctx.queryParam(name);
    } catch (HttpException e) {
      throw new HaqException(
          Reason.INVALID_ARGUMENT,
          "the query '%s' cannot be decoded: write a per cent sign as %%25"
              .formatted(ctx.request().query()),
          e);
    }
  }

  /** A query parameter that must be there. */
  static String required(RoutingContext ctx, String name, String meaning) {
    return text(ctx, name)
        .orElseThrow(
            () ->
                HaqException.invalid("parameter '%s' is missing: add ?%s=%s", name, name, meaning));
  }

  /** A whole number of 0 or more. */
  static int count(String name, String value) {
    try {
      int number = Integer.parseInt(value.strip());
      if (number >= 0) {
        return number;
      }
    } catch (NumberFormatException e) {
      throw notACount(name, value);
    }
    throw notACount(name, value);
  }

  /** Fills {@code page_size} and {@code page_token}, which every list request has. */
  static <B extends Message.Builder> B page(RoutingContext ctx, B builder) {
    text(ctx, "page_size")
        .ifPresent(size -> builder.setField(field(builder, "page_size"), count("page_size", size)));
    text(ctx, "page_token")
        .ifPresent(token -> builder.setField(field(builder, "page_token"), token));
    return builder;
  }

  private static FieldDescriptor field(Message.Builder builder, String name) {
    return builder.getDescriptorForType().findFieldByName(name);
  }

  private static HaqException notACount(String name, String value) {
    return HaqException.invalid("%s '%s' is not a whole number of 0 or more", name, value);
  }
}
