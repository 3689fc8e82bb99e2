package dev.haq.gateway.http;

import io.vertx.core.http.HttpMethod;
import io.vertx.ext.web.Route;
import io.vertx.ext.web.Router;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * Which methods a path takes, for the Allow header that RFC 9110 wants with 405. The router knows,
 * but fills the header in only where it writes the answer itself.
 */
final class AllowedMethods {
  private record Entry(Pattern path, List<String> methods) {}

  private final List<Entry> entries;

  /** Reads the routes that {@code router} has now. */
  AllowedMethods(Router router) {
    entries =
        router.getRoutes().stream()
            .filter(route -> route.methods() != null)
            .map(
                route ->
                    new Entry(
                        pattern(route), route.methods().stream().map(HttpMethod::name).toList()))
            .toList();
  }

  /** Comma-separated, in alphabetical order. */
  String of(String path) {
    return entries.stream()
        .filter(entry -> entry.path().matcher(path).matches())
        .flatMap(entry -> entry.methods().stream())
        .distinct()
        .sorted()
        .collect(Collectors.joining(", "));
  }

  /** A route's name is what it was mounted with: a template with :parameters, or an expression. */
  private static Pattern pattern(Route route) {
    String name = route.getName();
    boolean template = route.getPath() != null;
    return Pattern.compile(
        template ? name.replace(".", "\\.").replaceAll(":[A-Za-z0-9_]+", "[^/]+") : name);
  }
}
