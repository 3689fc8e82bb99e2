/**
 * The gRPC edge of the simulator: decode, call the cost models, encode. Limits on what a request
 * may ask for are held here.
 */
package dev.haq.hwsim.grpc;
