/**
 * Sessions on the wire: the handlers of the search agent's calls, and the simulator and the
 * quantizer behind the search's ports.
 */
package dev.haq.agent.grpc;
