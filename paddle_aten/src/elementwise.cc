// Elementwise kernels with their first and second derivatives.
#include "bridge.h"
#include "paddle/phi/kernels/abs_grad_kernel.h"
#include "paddle/phi/kernels/abs_kernel.h"
#include "paddle/phi/kernels/activation_grad_kernel.h"
#include "paddle/phi/kernels/activation_kernel.h"
#include "paddle/phi/kernels/cast_kernel.h"
#include "paddle/phi/kernels/clip_grad_kernel.h"
#include "paddle/phi/kernels/clip_kernel.h"
#include "paddle/phi/kernels/complex_kernel.h"
#include "paddle/phi/kernels/elementwise_add_grad_kernel.h"
#include "paddle/phi/kernels/elementwise_add_kernel.h"
#include "paddle/phi/kernels/elementwise_divide_grad_kernel.h"
#include "paddle/phi/kernels/elementwise_divide_kernel.h"
#include "paddle/phi/kernels/elementwise_grad_kernel.h"
#include "paddle/phi/kernels/elementwise_kernel.h"
#include "paddle/phi/kernels/elementwise_multiply_grad_kernel.h"
#include "paddle/phi/kernels/elementwise_multiply_kernel.h"
#include "paddle/phi/kernels/elementwise_subtract_grad_kernel.h"
#include "paddle/phi/kernels/elementwise_subtract_kernel.h"
#include "paddle/phi/kernels/erf_grad_kernel.h"
#include "paddle/phi/kernels/erf_kernel.h"
#include "paddle/phi/kernels/scale_kernel.h"
#include "paddle/phi/kernels/sign_kernel.h"
#include "paddle/phi/kernels/where_grad_kernel.h"
#include "paddle/phi/kernels/where_kernel.h"

namespace paddle_aten {
namespace {

// ---- binary ----

#define BINARY(name, Ref, dtypes, expr)                                     \
  void k_##name(const Ctx&, const DT& x_, const DT& y_, DT* z) {            \
    auto x = in(x_), y = in(y_);                                            \
    out(z, expr);                                                           \
  }                                                                         \
  ATEN_KERNEL(name, k_##name, Ref, dtypes);

BINARY(add, AddKernel, kAll, at::add(x, y))
BINARY(subtract, SubtractKernel, kNumeric, at::sub(x, y))
BINARY(multiply, MultiplyKernel, kAll, at::mul(x, y))
BINARY(divide, DivideKernel, kFloating, at::div(x, y))
BINARY(maximum, MaximumKernel, kNumeric, at::maximum(x, y))
BINARY(minimum, MinimumKernel, kNumeric, at::minimum(x, y))

BINARY(fmax, FMaxKernel, kNumeric, at::fmax(x, y))
BINARY(fmin, FMinKernel, kNumeric, at::fmin(x, y))
BINARY(remainder, RemainderKernel, kNumeric, at::remainder(x, y))
BINARY(floor_divide, FloorDivideKernel, kNumeric, at::floor_divide(x, y))
BINARY(elementwise_pow, ElementwisePowKernel, kNumeric, at::pow(x, y))

void elementwise_pow_grad(const Ctx&, const DT& x_, const DT& y_, const DT& dz_, DT* dx, DT* dy) {
  auto x = in(x_), y = in(y_), dz = in(dz_);
  if (dx) fresh(dx, unbroadcast(dz * y * at::pow(x, y - 1), x_));
  if (dy) fresh(dy, unbroadcast(dz * at::pow(x, y) * at::log(x), y_));
}
ATEN_KERNEL(elementwise_pow_grad, elementwise_pow_grad, ElementwisePowGradKernel, kFloating);

void add_grad(const Ctx&, const DT& x, const DT& y, const DT& dz_, int, DT* dx, DT* dy) {
  auto dz = in(dz_);
  if (dy) fresh(dy, unbroadcast(dz, y));
  if (dx) fresh(dx, unbroadcast(dz, x));
}
ATEN_KERNEL(add_grad, add_grad, AddGradKernel, kNumeric);

void subtract_grad(const Ctx&, const DT& x, const DT& y, const DT& dz_, int, DT* dx, DT* dy) {
  auto dz = in(dz_);
  if (dy) fresh(dy, unbroadcast(dz, y).neg());
  if (dx) fresh(dx, unbroadcast(dz, x));
}
ATEN_KERNEL(subtract_grad, subtract_grad, SubtractGradKernel, kNumeric);

void multiply_grad(const Ctx&, const DT& x, const DT& y, const DT& dz_, int, DT* dx, DT* dy) {
  auto dz = in(dz_);
  Tensor gx, gy;
  if (dx) gx = unbroadcast(dz * in(y), x);
  if (dy) gy = unbroadcast(dz * in(x), y);
  if (dx) fresh(dx, gx);
  if (dy) fresh(dy, gy);
}
ATEN_KERNEL(multiply_grad, multiply_grad, MultiplyGradKernel, kNumeric);

void divide_grad(const Ctx&, const DT& x, const DT& y_, const DT& z, const DT& dz_, int, DT* dx, DT* dy) {
  auto g = in(dz_) / in(y_);
  if (dy) fresh(dy, unbroadcast((g * in(z)).neg_(), y_));
  if (dx) fresh(dx, unbroadcast(g, x));
}
ATEN_KERNEL(divide_grad, divide_grad, DivideGradKernel, kFloating);

// Equal elements share the gradient, as in Paddle.
void share_out(const DT& x, const DT& y, const Tensor& dz, const Tensor& first, DT* dx, DT* dy) {
  auto share = at::where(at::eq(in(x), in(y)), 0.5, first.to(dz.scalar_type()));
  if (dx) fresh(dx, unbroadcast(dz * share, x));
  if (dy) fresh(dy, unbroadcast(dz * (1 - share), y));
}
void maximum_grad(const Ctx&, const DT& x, const DT& y, const DT& dz, DT* dx, DT* dy) {
  share_out(x, y, in(dz).clone(), at::gt(in(x), in(y)), dx, dy);
}
ATEN_KERNEL(maximum_grad, maximum_grad, MaximumGradKernel, kFloating);

void minimum_grad(const Ctx&, const DT& x, const DT& y, const DT& dz, DT* dx, DT* dy) {
  share_out(x, y, in(dz).clone(), at::lt(in(x), in(y)), dx, dy);
}
ATEN_KERNEL(minimum_grad, minimum_grad, MinimumGradKernel, kFloating);

// a + b, either of which may be missing, in the shape of like.
Tensor sum_of(const std::optional<Tensor>& a, const std::optional<Tensor>& b, const DT& like) {
  if (a && b) return at::add(*a, *b);
  if (a) return a->expand(sizes(like));
  if (b) return b->expand(sizes(like));
  return at::zeros(sizes(like), options(like.dtype()));
}

void add_double_grad(const Ctx&, const DT&, const DT& dz, const OptDT& ddx, const OptDT& ddy, int, DT* ddz) {
  fresh(ddz, sum_of(in(ddx), in(ddy), dz));
}
ATEN_KERNEL(add_double_grad, add_double_grad, AddDoubleGradKernel, kFloating);

void subtract_double_grad(const Ctx&, const DT&, const DT& dz, const OptDT& ddx, const OptDT& ddy_, int, DT* ddz) {
  auto ddy = in(ddy_);
  if (ddy) ddy = ddy->neg();
  fresh(ddz, sum_of(in(ddx), ddy, dz));
}
ATEN_KERNEL(subtract_double_grad, subtract_double_grad, SubtractDoubleGradKernel, kFloating);

void multiply_double_grad(const Ctx&, const DT& x, const DT& y, const DT& dz_, const OptDT& ddx_, const OptDT& ddy_, int, DT* dx, DT* dy, DT* ddz) {
  auto dz = in(dz_);
  auto ddx = in(ddx_), ddy = in(ddy_);
  Tensor gx, gy, gz;
  if (dx) gx = ddy ? unbroadcast(dz * *ddy, x) : at::zeros(sizes(x), dz.options());
  if (dy) gy = ddx ? unbroadcast(dz * *ddx, y) : at::zeros(sizes(y), dz.options());
  if (ddz) {
    std::optional<Tensor> a, b;
    if (ddx) a = *ddx * in(y);
    if (ddy) b = in(x) * *ddy;
    gz = sum_of(a, b, dz_);
  }
  if (dx) fresh(dx, gx);
  if (dy) fresh(dy, gy);
  if (ddz) fresh(ddz, gz);
}
ATEN_KERNEL(multiply_double_grad, multiply_double_grad, MultiplyDoubleGradKernel, kFloating);

// z = x / y; dx = dz / y is the first derivative that Paddle kept.
void divide_double_grad(const Ctx&, const DT& y_, const DT& z_, const DT& dz_, const OptDT& dx_, const OptDT& ddx_, const OptDT& ddy_, int, DT* dy, DT* dz, DT* ddz) {
  auto y = in(y_), z = in(z_);
  auto first = in(dx_);
  auto dx = first && first->sizes() == z.sizes() ? *first : in(dz_) / y;
  auto ddx = in(ddx_), ddy = in(ddy_);
  auto zeros = at::zeros({}, y.options());
  auto a = ddx.value_or(zeros), b = ddy.value_or(zeros);
  Tensor gy, gz, ggz;
  if (dy) gy = unbroadcast((dx * (b * z - a) / y).expand(z.sizes()), y_);
  if (dz) gz = (dx * b).neg_().expand(z.sizes());
  if (ddz) ggz = ((a - b * z) / y).expand(z.sizes());
  if (dy) fresh(dy, gy);
  if (dz) fresh(dz, gz);
  if (ddz) fresh(ddz, ggz);
}
ATEN_KERNEL(divide_double_grad, divide_double_grad, DivideDoubleGradKernel, kFloating);

// ---- unary: value, derivative from x or from the output, second derivative ----

#define UNARY(name, Ref, dtypes, expr)                \
  void k_##name(const Ctx&, const DT& x_, DT* y) {    \
    auto x = in(x_);                                  \
    out(y, expr);                                     \
  }                                                   \
  ATEN_KERNEL(name, k_##name, Ref, dtypes);

// v is the input (or the output) that Paddle kept, d the gradient coming in.
#define UNARY_GRAD(name, Ref, expr)                                        \
  void k_##name(const Ctx&, const DT& v_, const DT& d_, DT* dx) {          \
    auto v = in(v_), d = in(d_);                                           \
    fresh(dx, expr);                                                       \
  }                                                                        \
  ATEN_KERNEL(name, k_##name, Ref, kFloating);

// dd is the gradient of the first derivative dx.
#define UNARY_DOUBLE_GRAD(name, Ref, dv_expr, ddy_expr)                             \
  void k_##name(const Ctx&, const DT& v_, const DT& d_, const DT& dd_, DT* dv, DT* ddy) { \
    auto v = in(v_), d = in(d_), dd = in(dd_);                                      \
    Tensor a, b;                                                                    \
    if (dv) a = dv_expr;                                                            \
    if (ddy) b = ddy_expr;                                                          \
    fresh(dv, a);                                                                   \
    fresh(ddy, b);                                                                  \
  }                                                                                 \
  ATEN_KERNEL(name, k_##name, Ref, kFloating);

UNARY(relu, ReluKernel, kFloating, at::relu(x))
UNARY_GRAD(relu_grad, ReluGradKernel, at::threshold_backward(d, v, 0))
void relu_double_grad(const Ctx&, const DT& y, const DT& ddx, DT* ddy) {
  fresh(ddy, at::threshold_backward(in(ddx), in(y), 0));
}
ATEN_KERNEL(relu_double_grad, relu_double_grad, ReluDoubleGradKernel, kFloating);

UNARY(tanh, TanhKernel, kFloating, at::tanh(x))
UNARY_GRAD(tanh_grad, TanhGradKernel, at::tanh_backward(d, v))
UNARY_DOUBLE_GRAD(tanh_double_grad, TanhDoubleGradKernel, (v * d * dd).mul_(-2), at::tanh_backward(dd, v))

UNARY(sigmoid, SigmoidKernel, kFloating, at::sigmoid(x))
UNARY_GRAD(sigmoid_grad, SigmoidGradKernel, at::sigmoid_backward(d, v))
UNARY_DOUBLE_GRAD(sigmoid_double_grad, SigmoidDoubleGradKernel, (1 - 2 * v) * d * dd, at::sigmoid_backward(dd, v))

UNARY(sqrt, SqrtKernel, kFloating, at::sqrt(x))
UNARY_GRAD(sqrt_grad, SqrtGradKernel, (d / v).mul_(0.5))
// Here d is the first derivative dx, not dy.
UNARY_DOUBLE_GRAD(sqrt_double_grad, SqrtDoubleGradKernel, (d * dd / v).neg_(), (dd / v).mul_(0.5))

UNARY(rsqrt, RsqrtKernel, kFloating, at::rsqrt(x))
UNARY_GRAD(rsqrt_grad, RsqrtGradKernel, (d * v * v * v).mul_(-0.5))

UNARY(square, SquareKernel, kNumeric, at::mul(x, x))
UNARY_GRAD(square_grad, SquareGradKernel, (d * v).mul_(2))
UNARY_DOUBLE_GRAD(square_double_grad, SquareDoubleGradKernel, (d * dd).mul_(2), (v * dd).mul_(2))

UNARY_DOUBLE_GRAD(rsqrt_double_grad, RsqrtDoubleGradKernel, d * dd / v * 3, dd * v * v * v * (-0.5))

UNARY(exp, ExpKernel, kFloating, at::exp(x))
UNARY_GRAD(exp_grad, ExpGradKernel, d * v)

UNARY(log, LogKernel, kFloating, at::log(x))
UNARY_GRAD(log_grad, LogGradKernel, d / v)
UNARY_DOUBLE_GRAD(log_double_grad, LogDoubleGradKernel, (d * dd / (v * v)).neg_(), dd / v)

UNARY(abs, AbsKernel, kNumeric, at::abs(x))
UNARY_GRAD(abs_grad, AbsGradKernel, d * v.sgn())
void abs_double_grad(const Ctx&, const DT& x, const DT& ddx, DT* ddy) { fresh(ddy, in(ddx) * in(x).sgn()); }
ATEN_KERNEL(abs_double_grad, abs_double_grad, AbsDoubleGradKernel, kFloating);
UNARY(floor, FloorKernel, kFloating, at::floor(x))

UNARY(conj, ConjKernel, kFloating, x.clone())
UNARY(ceil, CeilKernel, kFloating, at::ceil(x))
UNARY(sign, SignKernel, kNumeric, at::sign(x))
UNARY(erf, ErfKernel, kFloating, at::erf(x))
UNARY_GRAD(erf_grad, ErfGradKernel, d * at::exp(-v * v) * 1.1283791670955126)
void round(const Ctx&, const DT& x, const int decimals, DT* y) { out(y, at::round(in(x), decimals)); }
ATEN_KERNEL(round, round, RoundKernel, kFloating);
// A step function's gradient is zero.
void zero_grad(const Ctx&, const DT& dy, DT* dx) { fresh(dx, at::zeros_like(in(dy))); }
ATEN_KERNEL(floor_grad, zero_grad, FloorGradKernel, kFloating);
ATEN_KERNEL(ceil_grad, zero_grad, CeilGradKernel, kFloating);
ATEN_KERNEL(round_grad, zero_grad, RoundGradKernel, kFloating);

void leaky_relu(const Ctx&, const DT& x, double alpha, DT* y) {
  out(y, at::leaky_relu(in(x), alpha));
}
ATEN_KERNEL(leaky_relu, leaky_relu, LeakyReluKernel, kFloating);
void leaky_relu_grad(const Ctx&, const DT& x, const DT& dy, double alpha, DT* dx) {
  fresh(dx, at::leaky_relu_backward(in(dy), in(x), alpha, false));
}
ATEN_KERNEL(leaky_relu_grad, leaky_relu_grad, LeakyReluGradKernel, kFloating);
void leaky_relu_double_grad(const Ctx&, const DT& x, const DT& ddx, double alpha, DT* ddy) {
  fresh(ddy, at::leaky_relu_backward(in(ddx), in(x), alpha, false));
}
ATEN_KERNEL(leaky_relu_double_grad, leaky_relu_double_grad, LeakyReluDoubleGradKernel, kFloating);

void pow(const Ctx&, const DT& x, const phi::Scalar& factor, DT* y) {
  out(y, at::pow(in(x), scalar(factor)));
}
ATEN_KERNEL(pow, pow, PowKernel, kNumeric);
// factor x^n, zero for a zero factor also where x^n is not finite.
Tensor term(double factor, const Tensor& x, double n) {
  return factor == 0 ? at::zeros_like(x) : at::pow(x, n).mul_(factor);
}
void pow_grad(const Ctx&, const DT& x, const DT& dy, const phi::Scalar& factor, DT* dx) {
  double n = factor.to<double>();
  fresh(dx, term(n, in(x), n - 1).mul_(in(dy)));
}
ATEN_KERNEL(pow_grad, pow_grad, PowGradKernel, kFloating);
void pow_double_grad(const Ctx&, const DT& x_, const DT& dy, const DT& ddx_, const phi::Scalar& factor, DT* dx, DT* ddy) {
  double n = factor.to<double>();
  auto x = in(x_), ddx = in(ddx_);
  Tensor a, b;
  if (dx) a = term(n * (n - 1), x, n - 2).mul_(in(dy)).mul_(ddx);
  if (ddy) b = term(n, x, n - 1).mul_(ddx);
  fresh(dx, a);
  fresh(ddy, b);
}
ATEN_KERNEL(pow_double_grad, pow_double_grad, PowDoubleGradKernel, kFloating);

void clip(const Ctx&, const DT& x, const phi::Scalar& low, const phi::Scalar& high, DT* y) {
  out(y, at::clamp(in(x), scalar(low), scalar(high)));
}
ATEN_KERNEL(clip, clip, ClipKernel, kNumeric);
void clip_grad(const Ctx&, const DT& x_, const DT& dy, const phi::Scalar& low, const phi::Scalar& high, DT* dx) {
  auto x = in(x_);
  fresh(dx, in(dy) * (at::ge(x, scalar(low)).logical_and_(at::le(x, scalar(high)))));
}
ATEN_KERNEL(clip_grad, clip_grad, ClipGradKernel, kFloating);

// ---- scale, cast, where ----

void scale(const Ctx&, const DT& x_, const phi::Scalar& scale, const phi::Scalar& bias, bool bias_after_scale, DT* y) {
  auto x = in(x_);
  auto a = scale.to<double>(), b = bias.to<double>();
  if (!x.is_floating_point()) {  // as in Paddle, the numbers are integers then
    int64_t factor = scale.to<int64_t>(), term = bias.to<int64_t>();
    return out(y, bias_after_scale ? x * factor + term : (x + term) * factor);
  }
  if (b == 0)
    out(y, at::mul(x, a));
  else if (a == 1)
    out(y, at::add(x, b));
  else
    out(y, bias_after_scale ? at::mul(x, a).add_(b) : at::add(x, b).mul_(a));
}
ATEN_KERNEL(scale, scale, ScaleKernel, kNumeric);

void div_scale(const Ctx&, const DT& x, const phi::Scalar& divisor, DT* y) {
  out(y, at::div(in(x), scalar(divisor)).to(to_aten(x.dtype())));
}
ATEN_KERNEL(div_scale, div_scale, DivScaleKernel, kNumeric);

void cast(const Ctx&, const DT& x, phi::DataType dtype, DT* y) {
  auto value = in(x);
  out(y, value.to(to_aten(dtype), false, /*copy=*/true));
}
ATEN_KERNEL(cast, cast, CastKernel, kAll);

void where(const Ctx&, const DT& condition, const DT& x, const DT& y, DT* z) {
  out(z, at::where(in(condition), in(x), in(y)));
}
ATEN_KERNEL(where, where, WhereKernel, kAll);
void where_grad(const Ctx&, const DT& condition_, const DT& x, const DT& y, const DT& dz_, DT* dx, DT* dy) {
  auto condition = in(condition_), dz = in(dz_);
  if (dx) fresh(dx, unbroadcast(dz * condition, x));
  if (dy) fresh(dy, unbroadcast(dz * condition.logical_not(), y));
}
ATEN_KERNEL(where_grad, where_grad, WhereGradKernel, kFloating);

}  // namespace
}  // namespace paddle_aten
