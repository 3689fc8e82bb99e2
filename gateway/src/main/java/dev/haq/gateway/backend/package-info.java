/**
 * The services behind the gateway, and what all that calls them share. Knows nothing of how a
 * caller speaks to the gateway.
 */
package dev.haq.gateway.backend;
