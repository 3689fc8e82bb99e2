/** Damaged models and data, and what the import makes of them. */
package dev.haq.quantizer.mutation;
