package dev.haq.wire;

import com.google.common.primitives.Doubles;
import dev.haq.model.Bound;
import dev.haq.model.Budget;
import dev.haq.model.Cost;
import dev.haq.model.CostTable;
import dev.haq.model.EnergySplit;
import dev.haq.model.HaqException;
import dev.haq.model.LayerCost;
import dev.haq.model.Resource;
import dev.haq.model.Traffic;
import java.util.OptionalDouble;

/** Resources, budgets, costs and cost tables. */
public final class CostWire {
  private CostWire() {}

  public static dev.haq.proto.model.v1.Resource toProto(Resource resource) {
    return switch (resource) {
      case LATENCY -> dev.haq.proto.model.v1.Resource.LATENCY;
      case ENERGY -> dev.haq.proto.model.v1.Resource.ENERGY;
      case MODEL_SIZE -> dev.haq.proto.model.v1.Resource.MODEL_SIZE;
    };
  }

  public static Resource fromProto(dev.haq.proto.model.v1.Resource message) {
    return switch (message) {
      case LATENCY -> Resource.LATENCY;
      case ENERGY -> Resource.ENERGY;
      case MODEL_SIZE -> Resource.MODEL_SIZE;
      case RESOURCE_UNSPECIFIED, UNRECOGNIZED ->
          throw HaqException.invalid("no resource is given: use LATENCY, ENERGY or MODEL_SIZE");
    };
  }

  public static dev.haq.proto.model.v1.Budget toProto(Budget budget) {
    dev.haq.proto.model.v1.Budget.Builder message =
        dev.haq.proto.model.v1.Budget.newBuilder().setResource(toProto(budget.resource()));
    return switch (budget.kind()) {
      case RATIO -> message.setRatio(budget.value()).build();
      case ABSOLUTE -> message.setAbsolute(budget.value()).build();
    };
  }

  public static Budget fromProto(dev.haq.proto.model.v1.Budget message) {
    Resource resource = fromProto(message.getResource());
    return switch (message.getLimitCase()) {
      case RATIO -> Budget.ratio(resource, message.getRatio());
      case ABSOLUTE -> Budget.absolute(resource, message.getAbsolute());
      case LIMIT_NOT_SET ->
          throw HaqException.invalid("budget has no limit: give ratio or absolute");
    };
  }

  public static dev.haq.proto.model.v1.Cost toProto(Cost cost) {
    dev.haq.proto.model.v1.Cost.Builder message =
        dev.haq.proto.model.v1.Cost.newBuilder()
            .setCycles(cost.cycles())
            .setLatencySeconds(cost.latencySeconds())
            .setModelSizeBytes(cost.modelSizeBytes());
    cost.energyJoules().ifPresent(message::setEnergyJoules);
    return message.build();
  }

  public static Cost fromProto(dev.haq.proto.model.v1.Cost message) {
    return new Cost(
        message.getCycles(),
        message.getLatencySeconds(),
        optional(message.hasEnergyJoules(), message.getEnergyJoules()),
        message.getModelSizeBytes());
  }

  public static dev.haq.proto.model.v1.LayerCost toProto(LayerCost layer) {
    dev.haq.proto.model.v1.LayerCost.Builder message =
        dev.haq.proto.model.v1.LayerCost.newBuilder()
            .setBits(BitsWire.toProto(layer.name(), layer.bits()))
            .setCost(toProto(layer.cost()))
            .setBoundBy(toProto(layer.boundBy()))
            .setExtrapolated(layer.extrapolated());
    layer.utilisation().ifPresent(message::setUtilisation);
    layer.trafficBytes().ifPresent(message::setTrafficBytes);
    layer.energySplit().map(CostWire::toProto).ifPresent(message::setEnergySplit);
    layer.traffic().map(CostWire::toProto).ifPresent(message::setTraffic);
    return message.build();
  }

  public static dev.haq.proto.model.v1.EnergySplit toProto(EnergySplit split) {
    return dev.haq.proto.model.v1.EnergySplit.newBuilder()
        .setComputeJoules(split.computeJoules())
        .setSramJoules(split.sramJoules())
        .setDramJoules(split.dramJoules())
        .setStaticJoules(split.staticJoules())
        .build();
  }

  public static dev.haq.proto.model.v1.Traffic toProto(Traffic traffic) {
    dev.haq.proto.model.v1.Traffic.Builder message =
        dev.haq.proto.model.v1.Traffic.newBuilder()
            .setActivationBytes(traffic.activationBytes())
            .setWeightBytes(traffic.weightBytes())
            .setOutputBytes(traffic.outputBytes());
    traffic.bufferBytes().ifPresent(message::setBufferBytes);
    return message.build();
  }

  public static dev.haq.proto.model.v1.CostTable toProto(CostTable table) {
    return dev.haq.proto.model.v1.CostTable.newBuilder()
        .setResource(toProto(table.resource()))
        .addAllLayers(table.layers())
        .setWeightBits(BitsWire.toProto(table.weightBits()))
        .setActivationBits(BitsWire.toProto(table.activationBits()))
        .addAllValues(Doubles.asList(table.values()))
        .addAllCycles(Doubles.asList(table.cycles()))
        .setExtrapolated(table.extrapolated())
        .setFixed(table.fixed())
        .build();
  }

  public static CostTable fromProto(dev.haq.proto.model.v1.CostTable message) {
    return new CostTable(
        fromProto(message.getResource()),
        message.getLayersList(),
        BitsWire.fromProto(message.getWeightBits()),
        BitsWire.fromProto(message.getActivationBits()),
        Doubles.toArray(message.getValuesList()),
        Doubles.toArray(message.getCyclesList()),
        message.getExtrapolated(),
        message.getFixed());
  }

  public static dev.haq.proto.model.v1.Bound toProto(Bound bound) {
    return switch (bound) {
      case COMPUTE -> dev.haq.proto.model.v1.Bound.COMPUTE;
      case ACTIVATION_PORT -> dev.haq.proto.model.v1.Bound.ACTIVATION_PORT;
      case WEIGHT_PORT -> dev.haq.proto.model.v1.Bound.WEIGHT_PORT;
      case DRAM -> dev.haq.proto.model.v1.Bound.DRAM;
      case UNKNOWN -> dev.haq.proto.model.v1.Bound.BOUND_UNKNOWN;
    };
  }

  private static OptionalDouble optional(boolean present, double value) {
    return present ? OptionalDouble.of(value) : OptionalDouble.empty();
  }
}
