/**
 * What an accelerator is, as data: a description with its source and the figures of its cost model,
 * one YAML file each. The catalogue of built-in accelerators is read from this module's resources.
 */
package dev.haq.hwsim.accelerator;
