package dev.haq.quantizer.builtin;

/**
 * The ten classes of {@code builtin:shapes}, in label order. Each is a region of the plane that
 * fits the unit disc; {@link #contains} takes coordinates relative to the shape's centre, in units
 * of its radius.
 */
enum Shape {
  DISC {
    @Override
    boolean contains(double u, double v) {
      return u * u + v * v <= 0.8 * 0.8;
    }
  },
  RING {
    @Override
    boolean contains(double u, double v) {
      double square = u * u + v * v;
      return square <= 0.9 * 0.9 && square >= 0.48 * 0.48;
    }
  },
  SQUARE {
    @Override
    boolean contains(double u, double v) {
      return Math.abs(u) <= 0.7 && Math.abs(v) <= 0.7;
    }
  },
  TRIANGLE {
    @Override
    boolean contains(double u, double v) {
      return sidesOutside(TRIANGLE_NORMALS, 0.5, u, v) == 0;
    }
  },
  PENTAGON {
    @Override
    boolean contains(double u, double v) {
      return sidesOutside(PENTAGON_NORMALS, 0.72, u, v) == 0;
    }
  },
  STAR {
    @Override
    boolean contains(double u, double v) {
      // A pentagram is where at most one side of its inner pentagon is crossed: apothem cos 72.
      return sidesOutside(PENTAGON_NORMALS, 0.34, u, v) <= 1 && u * u + v * v <= 1;
    }
  },
  CROSS {
    @Override
    boolean contains(double u, double v) {
      double across = Math.abs(u);
      double along = Math.abs(v);
      return Math.min(across, along) <= 0.27 && Math.max(across, along) <= 0.9;
    }
  },
  CRESCENT {
    @Override
    boolean contains(double u, double v) {
      double bite = u - 0.42;
      return u * u + v * v <= 0.9 * 0.9 && bite * bite + v * v >= 0.68 * 0.68;
    }
  },
  HEXAGON {
    @Override
    boolean contains(double u, double v) {
      return sidesOutside(HEXAGON_NORMALS, 0.74, u, v) == 0;
    }
  },
  HEXAGRAM {
    @Override
    boolean contains(double u, double v) {
      // Two triangles, one turned by half a turn.
      return sidesOutside(TRIANGLE_NORMALS, 0.5, u, v) == 0
          || sidesOutside(TRIANGLE_NORMALS, 0.5, -u, v) == 0;
    }
  };

  private static final double[][] TRIANGLE_NORMALS = normals(3);
  private static final double[][] PENTAGON_NORMALS = normals(5);
  private static final double[][] HEXAGON_NORMALS = normals(6);

  /** Whether the point (u, v), in radii from the centre, belongs to the shape. */
  abstract boolean contains(double u, double v);

  private static int sidesOutside(double[][] normals, double apothem, double u, double v) {
    int outside = 0;
    for (double[] normal : normals) {
      if (normal[0] * u + normal[1] * v > apothem) {
        outside++;
      }
    }
    return outside;
  }

  /** Outward unit normals of a regular polygon's sides; StrictMath, so alike on every machine. */
  private static double[][] normals(int sides) {
    double[][] normals = new double[sides][2];
    for (int side = 0; side < sides; side++) {
      double angle = 2 * StrictMath.PI * side / sides;
      normals[side][0] = StrictMath.cos(angle);
      normals[side][1] = StrictMath.sin(angle);
    }
    return normals;
  }
}
