/**
 * All four services in one JVM. It owns how they are put together on loopback ports and where they
 * keep their data, and nothing of what they do.
 */
package dev.haq.standalone;
