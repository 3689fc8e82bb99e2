package dev.haq.hwsim;

import dev.haq.model.FeatureMap;
import dev.haq.model.Layer;
import dev.haq.model.Network;
import dev.haq.model.Window;
import java.util.ArrayList;
import java.util.List;

/** The published networks as layer lists, at 224 x 224. */
public final class Networks {
  private static final int[][] V2_BLOCKS = {
    // expansion, output channels, repeats, first stride (MobileNetV2, table 2)
    {1, 16, 1, 1},
    {6, 24, 2, 2},
    {6, 32, 3, 2},
    {6, 64, 4, 2},
    {6, 96, 3, 1},
    {6, 160, 3, 2},
    {6, 320, 1, 1}
  };
  private static final int[][] V1_BLOCKS = {
    // output channels, stride (MobileNetV1, table 1)
    {64, 1},
    {128, 2},
    {128, 1},
    {256, 2},
    {256, 1},
    {512, 2},
    {512, 1},
    {512, 1},
    {512, 1},
    {512, 1},
    {512, 1},
    {1024, 2},
    {1024, 1}
  };

  private final List<Layer> layers = new ArrayList<>();
  private int channels;
  private int side;

  private Networks(int channels, int side) {
    this.channels = channels;
    this.side = side;
  }

  /** MobileNetV2 1.0: 53 layers, named as in the golden files. */
  public static Network mobileNetV2() {
    Networks net = new Networks(3, 224);
    net.conv("conv0", 32, 3, 2, 1);
    for (int b = 0; b < V2_BLOCKS.length; b++) {
      int[] block = V2_BLOCKS[b];
      for (int i = 0; i < block[2]; i++) {
        String name = "b" + b + "." + i;
        if (block[0] > 1) {
          net.conv(name + ".expand", net.channels * block[0], 1, 1, 1);
        }
        net.depthwise(name + ".dw", i == 0 ? block[3] : 1);
        net.conv(name + ".project", block[1], 1, 1, 1);
      }
    }
    net.conv("conv_last", 1280, 1, 1, 1);
    net.linear("fc", 1280, 1000);
    return new Network("", "mobilenetv2", net.layers, 0);
  }

  /** MobileNetV1 1.0: 28 layers, in the order of the golden files. */
  public static Network mobileNetV1() {
    Networks net = new Networks(3, 224);
    net.conv("conv0", 32, 3, 2, 1);
    for (int b = 0; b < V1_BLOCKS.length; b++) {
      net.depthwise("b" + b + ".dw", V1_BLOCKS[b][1]);
      net.conv("b" + b + ".pw", V1_BLOCKS[b][0], 1, 1, 1);
    }
    net.linear("fc", 1024, 1000);
    return new Network("", "mobilenetv1", net.layers, 0);
  }

  /** AlexNet with its grouped convolutions. */
  public static Network alexNet() {
    return new Network(
        "",
        "alexnet",
        List.of(
            conv("conv1", 3, 96, 1, 11, 4, 227, 55),
            conv("conv2", 96, 256, 2, 5, 1, 27, 27),
            conv("conv3", 256, 384, 1, 3, 1, 13, 13),
            conv("conv4", 384, 384, 2, 3, 1, 13, 13),
            conv("conv5", 384, 256, 2, 3, 1, 13, 13),
            new Layer.Linear("fc6", 9216, 4096, 1, 0),
            new Layer.Linear("fc7", 4096, 4096, 1, 0),
            new Layer.Linear("fc8", 4096, 1000, 1, 0)),
        0);
  }

  private static Layer conv(
      String name, int inputs, int outputs, int groups, int kernel, int stride, int in, int out) {
    return new Layer.Conv2d(
        name,
        inputs,
        outputs,
        groups,
        Window.square(kernel, stride, kernel / 2),
        FeatureMap.square(in),
        FeatureMap.square(out),
        0);
  }

  /** Three small layers, one of each kind. */
  public static Network small() {
    Networks net = new Networks(3, 32);
    net.conv("stem", 16, 3, 2, 1);
    net.depthwise("dw", 1);
    net.linear("fc", 16, 10);
    return new Network("", "small", net.layers, 10);
  }

  private void conv(String name, int outputs, int kernel, int stride, int groups) {
    int out = side / stride;
    layers.add(
        new Layer.Conv2d(
            name,
            channels,
            outputs,
            groups,
            Window.square(kernel, stride, kernel / 2),
            FeatureMap.square(side),
            FeatureMap.square(out),
            2 * outputs));
    channels = outputs;
    side = out;
  }

  private void depthwise(String name, int stride) {
    int out = side / stride;
    layers.add(
        new Layer.DepthwiseConv2d(
            name,
            channels,
            channels,
            Window.square(3, stride, 1),
            FeatureMap.square(side),
            FeatureMap.square(out),
            2 * channels));
    side = out;
  }

  private void linear(String name, int inputs, int outputs) {
    layers.add(new Layer.Linear(name, inputs, outputs, 1, outputs));
  }
}
