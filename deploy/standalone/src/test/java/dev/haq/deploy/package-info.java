/**
 * Holds the files that run the services elsewhere, containers and Kubernetes objects, to what the
 * services are: every object is read strictly, and every name in it must exist.
 */
package dev.haq.deploy;
