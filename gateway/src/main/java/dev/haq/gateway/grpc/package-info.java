/**
 * The three services' own gRPC API on a port of the gateway, with reflection and health. Messages
 * are passed on as bytes: what a service learns to say needs no change here.
 */
package dev.haq.gateway.grpc;
