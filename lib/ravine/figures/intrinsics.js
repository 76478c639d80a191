// What does not come out of JAX as arithmetic, written by hand. A function is copied before the code that calls it,
// under a name of its own; arrays are Float64Arrays, row by row. Everything here is compared with JAX in the tests.

function pow(x, y) { // C's: 1 to any power is 1, NaN and the infinities included
  return x === 1 || (x === -1 && (y === Infinity || y === -Infinity)) ? 1 : Math.pow(x, y);
}

function round_half_even(x) {
  return Math.abs(x % 1) === 0.5 ? 2 * Math.round(x / 2) : Math.round(x);
}

function round_half_away(x) {
  return Math.sign(x) * Math.round(Math.abs(x));
}

function integer_div(a, b) { // towards zero; -1 for b = 0
  return b === 0 ? -1 : Math.trunc(a / b) + 0;
}

function integer_rem(a, b) { // with the sign of a; a for b = 0
  return b === 0 ? a : (a % b) + 0;
}

// 2/√π e^(-x²) Σ 2ⁿ x^(2n+1) / (2n+1)!!, all of whose terms have one sign.
function erf(x) {
  if (Math.abs(x) > 3) return Math.sign(x) * (1 - erfc(Math.abs(x)));
  let sum = x, term = x;
  for (let n = 1; Math.abs(term) > 1e-17 * Math.abs(sum); n++) sum += term *= (2 * x * x) / (2 * n + 1);
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}

// For large x the continued fraction e^(-x²)/√π / (x + ½/(x + 1/(x + 3⁄2/(x + …)))).
function erfc(x) {
  if (!(x > 1.5)) return 1 - erf(x);
  let tail = x;
  for (let n = 100; n > 0; n--) tail = x + n / 2 / tail;
  return Math.exp(-x * x) / Math.sqrt(Math.PI) / tail;
}

// The sums over k of a[i * ai + k * ak] * b[k * bk + j * bj], row i by row, each in the order of k. Four columns at once:
// a sum waits for its last addition, four do not for each other's.
function product(a, b, rows, inner, columns, ai, ak, bk, bj) {
  const c = new Float64Array(rows * columns);
  for (let i = 0; i < rows; i++) {
    let j = 0;
    for (; j + 3 < columns; j += 4) {
      let s = 0, t = 0, u = 0, v = 0;
      for (let k = 0, p = i * ai, q = j * bj; k < inner; k++, p += ak, q += bk) {
        const x = a[p];
        s += x * b[q];
        t += x * b[q + bj];
        u += x * b[q + 2 * bj];
        v += x * b[q + 3 * bj];
      }
      const at = i * columns + j;
      c[at] = s;
      c[at + 1] = t;
      c[at + 2] = u;
      c[at + 3] = v;
    }
    for (; j < columns; j++) {
      let s = 0;
      for (let k = 0; k < inner; k++) s += a[i * ai + k * ak] * b[k * bk + j * bj];
      c[i * columns + j] = s;
    }
  }
  return c;
}

// The next functions see an array of any rank as (outer, n, inner) and work along its middle axis.

function argbest(x, outer, n, inner, sign) {
  const best = new Float64Array(outer * inner);
  for (let o = 0; o < outer; o++) for (let i = 0; i < inner; i++) {
    const at = (k) => sign * x[(o * n + k) * inner + i];
    let chosen = 0;
    for (let k = 1; k < n; k++) if (at(k) > at(chosen) || (at(k) !== at(k) && at(chosen) === at(chosen))) chosen = k;
    best[o * inner + i] = chosen;
  }
  return best;
}

function cumulate(x, outer, n, inner, reverse, combine) {
  const result = x.slice(), step = reverse ? -inner : inner;
  for (let o = 0; o < outer; o++) for (let i = 0; i < inner; i++) {
    let at = (o * n + (reverse ? n - 1 : 0)) * inner + i;
    for (let k = 1; k < n; k++, at += step) result[at + step] = combine(result[at], result[at + step]);
  }
  return result;
}

function order(x) { // the stable order of a vector, NaN last
  const after = (a, b) => (a !== a ? (b !== b ? 0 : 1) : b !== b ? -1 : a - b || 0);
  return Float64Array.from(Array.from(x.keys()).sort((i, j) => after(x[i], x[j])));
}

// Small linear algebra.

function cholesky(a, n) {
  const l = new Float64Array(n * n);
  for (let j = 0; j < n; j++) for (let i = j; i < n; i++) {
    let sum = a[i * n + j];
    for (let k = 0; k < j; k++) sum -= l[i * n + k] * l[j * n + k];
    l[i * n + j] = i === j ? Math.sqrt(sum) : sum / l[j * n + j];
  }
  return l;
}

function lu(matrix, n) { // [L and U in one matrix, the row swaps, the permutation], partial pivoting
  const a = matrix.slice(), pivots = new Float64Array(n), rows = Float64Array.from(pivots.keys());
  const swap = (x, i, j) => ([x[i], x[j]] = [x[j], x[i]]);
  for (let k = 0; k < n; k++) {
    let p = k;
    for (let i = k + 1; i < n; i++) if (Math.abs(a[i * n + k]) > Math.abs(a[p * n + k])) p = i;
    pivots[k] = p;
    if (p !== k) {
      swap(rows, k, p);
      for (let j = 0; j < n; j++) swap(a, k * n + j, p * n + j);
    }
    for (let i = k + 1; i < n; i++) {
      if (a[k * n + k] !== 0) a[i * n + k] /= a[k * n + k];
      for (let j = k + 1; j < n; j++) a[i * n + j] -= a[i * n + k] * a[k * n + j];
    }
  }
  return [a, pivots, rows];
}

function triangular_solve(a, right, n, m, lower, transposed, unit) { // a (n, n), right (n, m)
  const x = right.slice(), down = lower !== transposed;
  for (let s = 0; s < n; s++) {
    const i = down ? s : n - 1 - s;
    for (let c = 0; c < m; c++) {
      let sum = x[i * m + c];
      for (let k = down ? 0 : i + 1; k < (down ? i : n); k++) sum -= (transposed ? a[k * n + i] : a[i * n + k]) * x[k * m + c];
      x[i * m + c] = unit ? sum : sum / a[i * n + i];
    }
  }
  return x;
}

// Householder's reflections, with the signs that LAPACK gives them. [Q, R], Q with min(rows, columns) columns.
function qr(matrix, rows, columns) {
  const size = Math.min(rows, columns), r = matrix.slice(), q = new Float64Array(rows * size), mirrors = [];
  const reflect = (x, width, mirror) => {
    for (let j = 0; j < width; j++) {
      let sum = 0;
      for (let i = 0; i < rows; i++) sum += mirror[i] * x[i * width + j];
      for (let i = 0; i < rows; i++) x[i * width + j] -= 2 * sum * mirror[i];
    }
  };
  for (let k = 0; k < size; k++) {
    q[k * size + k] = 1;
    const column = Float64Array.from({ length: rows }, (_, i) => (i < k ? 0 : r[i * columns + k]));
    if (!column.some((entry, i) => i > k && entry !== 0)) continue;
    column[k] += (column[k] < 0 ? -1 : 1) * Math.hypot(...column);
    const length = Math.hypot(...column);
    mirrors.unshift(column.map((entry) => entry / length));
    reflect(r, columns, mirrors[0]);
    for (let i = k + 1; i < rows; i++) r[i * columns + k] = 0;
  }
  for (const mirror of mirrors) reflect(q, size, mirror);
  return [q, r.slice(0, size * columns)];
}

// Jacobi's method: rotate the off-diagonal entries away, sweep after sweep. [eigenvectors in columns, eigenvalues],
// ascending; the sign of a vector is chosen so that its largest entry is positive.
function eigh(matrix, n) {
  const a = Float64Array.from(matrix, (_, k) => matrix[k % n > Math.floor(k / n) ? (k % n) * n + Math.floor(k / n) : k]);
  const v = Float64Array.from(a, (_, k) => (k % (n + 1) === 0 ? 1 : 0));
  const turn = (x, p, q, c, s) => ([x[p], x[q]] = [c * x[p] - s * x[q], s * x[p] + c * x[q]]);
  const tiny = 1e-18 * a.reduce((most, entry) => Math.max(most, Math.abs(entry)), 0);
  for (let rotated = true, sweep = 0; rotated && sweep < 60; sweep++) {
    rotated = false;
    for (let p = 0; p < n; p++) for (let q = p + 1; q < n; q++) {
      const off = a[p * n + q];
      if (!(Math.abs(off) > tiny)) continue;
      rotated = true;
      const half = (a[q * n + q] - a[p * n + p]) / (2 * off);
      const t = (half < 0 ? -1 : 1) / (Math.abs(half) + Math.hypot(half, 1)), c = 1 / Math.hypot(t, 1), s = t * c;
      for (let k = 0; k < n; k++) turn(a, k * n + p, k * n + q, c, s);
      for (let k = 0; k < n; k++) turn(a, p * n + k, q * n + k, c, s);
      for (let k = 0; k < n; k++) turn(v, k * n + p, k * n + q, c, s);
      a[p * n + q] = a[q * n + p] = 0;
    }
  }
  const rank = Array.from({ length: n }, (_, k) => k).sort((i, j) => a[i * n + i] - a[j * n + j]);
  const sign = rank.map((j) => {
    let largest = 0;
    for (let i = 0; i < n; i++) if (Math.abs(v[i * n + j]) > Math.abs(largest) + 1e-12) largest = v[i * n + j];
    return largest < 0 ? -1 : 1;
  });
  return [Float64Array.from(v, (_, k) => sign[k % n] * v[Math.floor(k / n) * n + rank[k % n]]),
    Float64Array.from(rank, (j) => a[j * n + j])];
}
