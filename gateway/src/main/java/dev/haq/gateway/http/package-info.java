/**
 * REST, server-sent events and uploads: each handler decodes a request, calls a service over gRPC
 * and encodes its answer. Owns the HTTP status of every error and nothing else.
 */
package dev.haq.gateway.http;
