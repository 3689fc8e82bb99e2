package dev.haq.agent.ddpg;

import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.openblas.global.openblas;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * A column-major matrix of floats in ND4J's memory, as a whole or as part of a longer vector.
 *
 * <p>Products go straight to the OpenBLAS that ND4J brings along: {@code Nd4j.gemm} does the same
 * after 30 us of checks, more than most products here take.
 */
final class Matrix {
  private final INDArray array; // [rows, columns]
  private final FloatPointer data;
  private final int rows;
  private final int columns;

  /** Part of {@code memory}, from {@code offset} on. */
  private Matrix(INDArray memory, long offset, int rows, int columns) {
    this.rows = rows;
    this.columns = columns;
    array =
        Nd4j.create(memory.data(), new long[] {rows, columns}, new long[] {1, rows}, offset, 'f');
    data = new FloatPointer(memory.data().pointer());
    data.position(offset);
  }

  /** A matrix of zeros with memory of its own. */
  static Matrix zeros(int rows, int columns) {
    return new Matrix(vector(rows * columns), 0, rows, columns);
  }

  /** A vector of zeros, to be seen as matrices. */
  static INDArray vector(int length) {
    return Nd4j.create(DataType.FLOAT, length);
  }

  /** A part of {@code vector} as a matrix. */
  static Matrix of(INDArray vector, int offset, int rows, int columns) {
    return new Matrix(vector, offset, rows, columns);
  }

  /** The first columns of this matrix, in the same memory. */
  Matrix firstColumns(int count) {
    return new Matrix(array, data.position(), rows, count);
  }

  /** For ND4J's element-wise operations. */
  INDArray array() {
    return array;
  }

  /** {@code this = a b}. */
  void product(Matrix a, Matrix b) {
    gemm(openblas.CblasNoTrans, openblas.CblasNoTrans, a.columns, a, b);
  }

  /** {@code this = a^T b}. */
  void productTransposedFirst(Matrix a, Matrix b) {
    gemm(openblas.CblasTrans, openblas.CblasNoTrans, a.rows, a, b);
  }

  /** {@code this = a b^T}. */
  void productTransposedSecond(Matrix a, Matrix b) {
    gemm(openblas.CblasNoTrans, openblas.CblasTrans, a.columns, a, b);
  }

  private void gemm(int transposeA, int transposeB, int inner, Matrix a, Matrix b) {
    openblas.cblas_sgemm(
        openblas.CblasColMajor,
        transposeA,
        transposeB,
        rows,
        columns,
        inner,
        1,
        a.data,
        a.rows,
        b.data,
        b.rows,
        0,
        data,
        rows);
  }

  /** Copies the first values out, column after column. */
  void read(float[] into) {
    data.get(into);
  }

  /** Copies values in, column after column. */
  void write(float[] from) {
    data.put(from);
  }
}
