/**
 * What the world sees of the system: starts the HTTP server of {@link dev.haq.gateway.http} and
 * connects it to the three services. Nothing is computed or stored here.
 */
package dev.haq.gateway;
