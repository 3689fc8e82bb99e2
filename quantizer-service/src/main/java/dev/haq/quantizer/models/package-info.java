/** Models that are kept on disk, what is told about them, and reading each once for all callers. */
package dev.haq.quantizer.models;
