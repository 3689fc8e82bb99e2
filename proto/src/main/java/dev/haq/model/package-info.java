/**
 * The values every service talks about: layers, bit-widths, policies, costs, budgets, accuracies.
 * They import the JDK alone and refuse bad input when they are made, so that code holding one need
 * not check it again.
 */
package dev.haq.model;
