// Smooth activations with their first and second derivatives, for which ATen's own formulas are taken where it has them.
#include "bridge.h"
#include "paddle/phi/kernels/activation_grad_kernel.h"
#include "paddle/phi/kernels/activation_kernel.h"
#include "paddle/phi/kernels/gelu_grad_kernel.h"
#include "paddle/phi/kernels/gelu_kernel.h"

namespace paddle_aten {
namespace {

// ---- softplus: log(1 + exp(beta x)) / beta, x itself above the threshold ----

void softplus(const Ctx&, const DT& x, double beta, double threshold, DT* y) {
  out(y, at::softplus(in(x), beta, threshold));
}
ATEN_KERNEL(softplus, softplus, SoftplusKernel, kFloating);
void softplus_grad(const Ctx&, const DT& x, const DT& dy, double beta, double threshold, DT* dx) {
  fresh(dx, at::softplus_backward(in(dy), in(x), beta, threshold));
}
ATEN_KERNEL(softplus_grad, softplus_grad, SoftplusGradKernel, kFloating);
void softplus_double_grad(const Ctx&, const DT& x_, const DT& dy_, const DT& ddx_, double beta, double threshold,
                          DT* dx, DT* ddy) {
  auto x = in(x_), ddx = in(ddx_), dy = in(dy_);
  auto s = at::sigmoid(x * beta);
  Tensor a, b;
  if (dx) a = (dy * ddx * s * (1 - s) * beta).masked_fill(at::gt(x * beta, threshold), 0);
  if (ddy) b = at::softplus_backward(ddx, x, beta, threshold);
  fresh(dx, a);
  fresh(ddy, b);
}
ATEN_KERNEL(softplus_double_grad, softplus_double_grad, SoftplusDoubleGradKernel, kFloating);

// ---- elu ----

void elu(const Ctx&, const DT& x, float alpha, DT* y) { out(y, at::elu(in(x), alpha)); }
ATEN_KERNEL(elu, elu, EluKernel, kFloating);
Tensor elu_slope(const Tensor& x, double alpha) { return at::where(at::gt(x, 0), at::ones_like(x), alpha * at::exp(x)); }
void elu_grad(const Ctx&, const DT& x, const DT&, const DT& dy, float alpha, DT* dx) {
  fresh(dx, in(dy) * elu_slope(in(x), alpha));
}
ATEN_KERNEL(elu_grad, elu_grad, EluGradKernel, kFloating);
void elu_double_grad(const Ctx&, const DT& x_, const DT& dy_, const DT& ddx_, float alpha, DT* dx, DT* ddy) {
  auto x = in(x_), dy = in(dy_), ddx = in(ddx_);
  Tensor a, b;
  if (dx) a = (dy * ddx * alpha * at::exp(x)).masked_fill(at::gt(x, 0), 0);
  if (ddy) b = ddx * elu_slope(x, alpha);
  fresh(dx, a);
  fresh(ddy, b);
}
ATEN_KERNEL(elu_double_grad, elu_double_grad, EluDoubleGradKernel, kFloating);

// ---- silu, gelu ----

void silu(const Ctx&, const DT& x, DT* y) { out(y, at::silu(in(x))); }
ATEN_KERNEL(silu, silu, SiluKernel, kFloating);
void silu_grad(const Ctx&, const DT& x, const DT&, const DT& dy, DT* dx) { fresh(dx, at::silu_backward(in(dy), in(x))); }
ATEN_KERNEL(silu_grad, silu_grad, SiluGradKernel, kFloating);

std::string approximation(bool tanh) { return tanh ? "tanh" : "none"; }
void gelu(const Ctx&, const DT& x, bool tanh, DT* y) { out(y, at::gelu(in(x), approximation(tanh))); }
ATEN_KERNEL(gelu, gelu, GeluKernel, kFloating);
void gelu_grad(const Ctx&, const DT& x, const DT& dy, bool tanh, DT* dx) {
  fresh(dx, at::gelu_backward(in(dy), in(x), approximation(tanh)));
}
ATEN_KERNEL(gelu_grad, gelu_grad, GeluGradKernel, kFloating);

// ---- functions whose derivative is one product: name, value, derivative from what Paddle kept (v) ----

#define FUNCTION(name, Name, value, slope)                                  \
  void name(const Ctx&, const DT& x_, DT* y) {                              \
    auto x = in(x_);                                                        \
    out(y, value);                                                          \
  }                                                                         \
  ATEN_KERNEL(name, name, Name##Kernel, kFloating);                         \
  void name##_grad(const Ctx&, const DT& v_, const DT& dy, DT* dx) {        \
    auto v = in(v_);                                                        \
    fresh(dx, in(dy) * (slope));                                            \
  }                                                                         \
  ATEN_KERNEL(name##_grad, name##_grad, Name##GradKernel, kFloating);
FUNCTION(log1p, Log1p, at::log1p(x), at::reciprocal(v + 1))
FUNCTION(log2, Log2, at::log2(x), at::reciprocal(v * 0.6931471805599453))
FUNCTION(log10, Log10, at::log10(x), at::reciprocal(v * 2.302585092994046))
FUNCTION(expm1, Expm1, at::expm1(x), v + 1)
FUNCTION(reciprocal, Reciprocal, at::reciprocal(x), -(v * v))
FUNCTION(logsigmoid, LogSigmoid, at::log_sigmoid(x), at::sigmoid(-v))
FUNCTION(sin, Sin, at::sin(x), at::cos(v))
FUNCTION(cos, Cos, at::cos(x), -at::sin(v))

void sin_double_grad(const Ctx&, const DT& x, const DT& dy, const DT& ddx, DT* dx, DT* ddy) {
  Tensor a, b;
  if (dx) a = -(in(dy) * in(ddx) * at::sin(in(x)));
  if (ddy) b = in(ddx) * at::cos(in(x));
  fresh(dx, a);
  fresh(ddy, b);
}
ATEN_KERNEL(sin_double_grad, sin_double_grad, SinDoubleGradKernel, kFloating);
void cos_double_grad(const Ctx&, const DT& x, const DT& dy, const DT& ddx, DT* dx, DT* ddy) {
  Tensor a, b;
  if (dx) a = -(in(dy) * in(ddx) * at::cos(in(x)));
  if (ddy) b = -(in(ddx) * at::sin(in(x)));
  fresh(dx, a);
  fresh(ddy, b);
}
ATEN_KERNEL(cos_double_grad, cos_double_grad, CosDoubleGradKernel, kFloating);

}  // namespace
}  // namespace paddle_aten
