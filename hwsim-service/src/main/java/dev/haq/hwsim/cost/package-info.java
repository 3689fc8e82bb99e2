/**
 * What a layer costs on a hardware target at given bit-widths: one cost model a file, and what is
 * built from them, cost tables and simulations of a policy. Pure: the model values and the JDK
 * alone.
 */
package dev.haq.hwsim.cost;
