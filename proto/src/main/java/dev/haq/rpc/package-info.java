/**
 * How a service is served and called: one port with health, reflection and metrics, deadlines,
 * message sizes, typed errors, and a client that balances over replicas and retries. Nothing here
 * is about quantization.
 */
package dev.haq.rpc;
