// Normalisation with its first and second derivatives.
#include "bridge.h"
#include "layout.h"
#include "paddle/phi/kernels/batch_norm_grad_kernel.h"
#include "paddle/phi/kernels/batch_norm_kernel.h"
#include "paddle/phi/kernels/group_norm_grad_kernel.h"
#include "paddle/phi/kernels/group_norm_kernel.h"
#include "paddle/phi/kernels/instance_norm_grad_kernel.h"
#include "paddle/phi/kernels/instance_norm_kernel.h"
#include "paddle/phi/kernels/layer_norm_grad_kernel.h"
#include "paddle/phi/kernels/layer_norm_kernel.h"

namespace paddle_aten {
namespace {

// y = scale xhat + offset, xhat = (x - mean) rstd, where mean and rstd are those of x over some axes (moving) or
// given numbers. With P(v) = v - mean(v) - xhat mean(v xhat), dx = scale rstd P(dy). All tensors broadcast to x.
struct Normal {
  Normal(const Tensor& x_, const Tensor& mean, const Tensor& rstd_, const Tensor& scale_, Longs axes_, bool moving_)
      : x(x_), xhat((x_ - mean) * rstd_), rstd(rstd_), scale(scale_), axes(std::move(axes_)), moving(moving_) {}

  Tensor average(const Tensor& v) const { return at::mean(v, axes, true); }
  Tensor project(const Tensor& v) const { return moving ? v - average(v) - xhat * average(v * xhat) : v; }
  Tensor dx(const Tensor& dy) const { return scale * rstd * project(dy); }

  // Derivatives of <dx, ddx> + <dscale, ddscale> + <doffset, ddoffset>, the second still to be summed over
  // everything that shares a scale.
  struct Double {
    Tensor dx, dscale, ddy;
  };
  Double second(const Tensor& dy, const Tensor& ddx, const Tensor& ddscale, const Tensor& ddoffset) const {
    auto pulled = project(dy);
    Double r;
    r.dscale = rstd * pulled * ddx;
    r.ddy = scale * rstd * project(ddx) + ddscale * xhat + ddoffset;
    auto g = ddscale * dy;
    if (!moving) {
      r.dx = rstd * g;
      return r;
    }
    g = g - scale * rstd * (average(ddx * xhat) * dy + average(dy * xhat) * ddx);
    r.dx = rstd * project(g) - rstd * rstd * scale * xhat * average(pulled * ddx);
    return r;
  }

  Tensor x, xhat, rstd, scale;
  Longs axes;
  bool moving;
};

// Values per channel, shaped for x with the channels second.
Tensor per_channel(const Tensor& values, const Tensor& x) {
  Longs shape(x.dim(), 1);
  shape[1] = x.size(1);
  return values.reshape(shape);
}
Longs all_but_channels(const Tensor& x) {
  Longs axes = {0};
  for (int64_t i = 2; i < x.dim(); ++i) axes.push_back(i);
  return axes;
}
Tensor or_else(const OptDT& t, double value, const Tensor& x) {
  auto v = in(t);
  return v ? *v : at::full({x.size(1)}, value, x.options());
}

// For outputs whose type Paddle leaves to the kernel.
void typed(DT* target, const Tensor& value) {
  if (target) target->set_type(to_paddle(value.scalar_type()));
  fresh(target, value);
}

// ---- batch norm ----

// momentum is the share of the old running statistics, as Paddle means it; their variance is over n, not n - 1.
void batch_norm(const Ctx&, const DT& x_, const DT& mean, const DT& variance, const OptDT& scale, const OptDT& bias,
                bool is_test, float momentum, float epsilon, const Str& format, bool use_global, bool trainable,
                DT* y, DT* mean_out, DT* variance_out, DT* saved_mean, DT* saved_variance, DT* reserve) {
  bool last = channels_last(format), training = !(is_test && !trainable) && !use_global;
  auto running_mean = in_place(mean, mean_out), running_variance = in_place(variance, variance_out);
  auto x = nchw(in(x_), last);
  std::optional<Tensor> given_mean, given_variance;
  if (!training) given_mean = running_mean, given_variance = running_variance;
  auto r = at::native_batch_norm(x, in(scale), in(bias), given_mean, given_variance, training, 0, epsilon);
  out(y, from_nchw(std::get<0>(r), last));
  if (training) {
    auto batch_mean = std::get<1>(r), rstd = std::get<2>(r);
    if (momentum != 1) {
      running_mean.mul_(momentum).add_(batch_mean, 1 - momentum);
      running_variance.mul_(momentum).add_(rstd.pow(-2).sub_(epsilon), 1 - momentum);
    }
    fresh(saved_mean, batch_mean);
    fresh(saved_variance, rstd);
  } else {
    fresh(saved_mean, running_mean.clone());
    fresh(saved_variance, at::rsqrt(running_variance + epsilon));
  }
  fresh(reserve, at::empty({1}, options(phi::DataType::UINT8)));
}
ATEN_KERNEL(batch_norm, batch_norm, BatchNormKernel, kFloating);

void batch_norm_grad(const Ctx&, const DT& x, const OptDT& scale, const OptDT&, const OptDT& mean,
                     const OptDT& variance, const DT& saved_mean, const DT& saved_variance, const OptDT&,
                     const DT& dy, float, float epsilon, const Str& format, bool is_test, bool use_global,
                     bool trainable, DT* dx, DT* dscale, DT* dbias) {
  bool last = channels_last(format), training = !(is_test && !trainable) && !use_global;
  auto r = at::native_batch_norm_backward(nchw(in(dy), last), nchw(in(x), last), in(scale), in(mean), in(variance),
                                          in(saved_mean), in(saved_variance), training, epsilon,
                                          {dx != nullptr, dscale != nullptr, dbias != nullptr});
  if (dx) fresh(dx, from_nchw(std::get<0>(r), last));
  fresh(dscale, std::get<1>(r));
  fresh(dbias, std::get<2>(r));
}
ATEN_KERNEL(batch_norm_grad, batch_norm_grad, BatchNormGradKernel, kFloating);

void batch_norm_double_grad(const Ctx&, const DT& x_, const OptDT& scale, const OptDT& mean, const OptDT& variance,
                            const DT& saved_mean, const DT& saved_variance, const DT& dy, const OptDT& ddx_,
                            const OptDT& ddscale, const OptDT& ddbias, float, float epsilon, const Str& format,
                            bool is_test, bool use_global, bool trainable, DT* dx, DT* dscale, DT* ddy) {
  bool last = channels_last(format), training = !(is_test && !trainable) && !use_global;
  auto x = nchw(in(x_), last);
  auto center = training ? in(saved_mean) : *in(mean);
  auto rstd = training ? in(saved_variance) : at::rsqrt(*in(variance) + epsilon);
  Normal normal(x, per_channel(center, x), per_channel(rstd, x), per_channel(or_else(scale, 1, x), x),
                all_but_channels(x), training);
  auto ddx = in(ddx_);
  auto r = normal.second(nchw(in(dy), last), ddx ? nchw(*ddx, last) : at::zeros_like(x),
                         per_channel(or_else(ddscale, 0, x), x), per_channel(or_else(ddbias, 0, x), x));
  if (dx) fresh(dx, from_nchw(r.dx, last));
  if (dscale) fresh(dscale, at::sum(r.dscale, all_but_channels(x)));
  if (ddy) fresh(ddy, from_nchw(r.ddy, last));
}
// Paddle's header declares one more argument, fuse_with_relu, than Paddle passes.
const Register<&batch_norm_double_grad> register_batch_norm_double_grad("batch_norm_double_grad", kFloating);

// ---- instance norm ----

Longs plane_of(const Tensor& x) {
  Longs axes;
  for (int64_t i = 2; i < x.dim(); ++i) axes.push_back(i);
  return axes;
}
// Paddle keeps the statistics as [n * channels], and the reciprocal root of the variance.
Normal instance(const DT& x_, const OptDT& scale, const DT& mean, const DT& rstd) {
  auto x = in(x_);
  Longs shape(x.dim(), 1);
  shape[0] = x.size(0), shape[1] = x.size(1);
  return Normal(x, in(mean).reshape(shape), in(rstd).reshape(shape), per_channel(or_else(scale, 1, x), x), plane_of(x),
                true);
}
void instance_norm(const Ctx&, const DT& x_, const OptDT& scale, const OptDT& bias, float epsilon, DT* y, DT* mean,
                   DT* rstd) {
  auto x = in(x_);
  auto center = at::mean(x, plane_of(x), true);
  auto r = at::rsqrt(at::mean((x - center).square(), plane_of(x), true) + epsilon);
  out(y, (x - center) * r * per_channel(or_else(scale, 1, x), x) + per_channel(or_else(bias, 0, x), x));
  typed(mean, center.reshape({-1}));
  typed(rstd, r.reshape({-1}));
}
ATEN_KERNEL(instance_norm, instance_norm, InstanceNormKernel, kFloating);
void instance_norm_grad(const Ctx&, const DT& x, const OptDT& scale, const OptDT&, const DT& mean, const DT& rstd,
                        const DT& dy_, float, DT* dx, DT* dscale, DT* dbias) {
  auto normal = instance(x, scale, mean, rstd);
  auto dy = in(dy_);
  if (dscale) typed(dscale, at::sum(dy * normal.xhat, all_but_channels(dy)));
  if (dbias) typed(dbias, at::sum(dy, all_but_channels(dy)));
  if (dx) fresh(dx, normal.dx(dy));
}
ATEN_KERNEL(instance_norm_grad, instance_norm_grad, InstanceNormGradKernel, kFloating);
void instance_norm_double_grad(const Ctx&, const DT& x_, const OptDT& scale, const DT& mean, const DT& rstd,
                               const DT& dy, const OptDT& ddx, const OptDT& ddscale, const OptDT& ddbias, float,
                               DT* dx, DT* dscale, DT* ddy) {
  auto x = in(x_);
  auto r = instance(x_, scale, mean, rstd)
               .second(in(dy), in(ddx).value_or(at::zeros_like(x)), per_channel(or_else(ddscale, 0, x), x),
                       per_channel(or_else(ddbias, 0, x), x));
  fresh(dx, r.dx);
  if (dscale) typed(dscale, at::sum(r.dscale, all_but_channels(x)));
  typed(ddy, r.ddy);
}
ATEN_KERNEL(instance_norm_double_grad, instance_norm_double_grad, InstanceNormDoubleGradKernel, kFloating);

// ---- group norm ----

void group_norm(const Ctx&, const DT& x_, const OptDT& scale, const OptDT& bias, double epsilon, int groups,
                const Str& format, DT* y, DT* mean, DT* variance) {
  bool last = channels_last(format);
  auto x = nchw(in(x_), last).contiguous();
  int64_t n = x.size(0), c = x.size(1), plane = x.numel() / (n * c);
  auto r = at::native_group_norm(x, in(scale), in(bias), n, c, plane, groups, epsilon);
  out(y, from_nchw(std::get<0>(r), last));
  fresh(mean, std::get<1>(r));
  fresh(variance, std::get<2>(r).pow(-2).sub_(epsilon));
}
ATEN_KERNEL(group_norm, group_norm, GroupNormKernel, kFloating);
void group_norm_grad(const Ctx&, const DT& x_, const OptDT& scale, const OptDT&, const DT&, const DT& mean,
                     const DT& variance, const DT& dy, double epsilon, int groups, const Str& format, DT* dx,
                     DT* dscale, DT* dbias) {
  bool last = channels_last(format);
  auto x = nchw(in(x_), last).contiguous();
  int64_t n = x.size(0), c = x.size(1), plane = x.numel() / (n * c);
  auto r = at::native_group_norm_backward(nchw(in(dy), last).contiguous(), x, in(mean), at::rsqrt(in(variance) + epsilon),
                                          in(scale), n, c, plane, groups,
                                          {dx != nullptr, dscale != nullptr, dbias != nullptr});
  if (dx) fresh(dx, from_nchw(std::get<0>(r), last));
  fresh(dscale, std::get<1>(r));
  fresh(dbias, std::get<2>(r));
}
ATEN_KERNEL(group_norm_grad, group_norm_grad, GroupNormGradKernel, kFloating);

// ---- layer norm ----

// The axes that layer_norm normalises.
Longs inner(const DT& x, int begin) {
  auto shape = sizes(x);
  return {shape.begin() + begin, shape.end()};
}
std::optional<Tensor> shaped(const OptDT& t, const Longs& shape) {
  auto v = in(t);
  return v ? std::optional<Tensor>(v->reshape(shape)) : std::nullopt;
}

void layer_norm(const Ctx&, const DT& x, const OptDT& scale, const OptDT& bias, float epsilon, int begin, DT* y,
                DT* mean, DT* variance) {
  auto shape = inner(x, begin);
  auto r = at::native_layer_norm(in(x), shape, shaped(scale, shape), shaped(bias, shape), epsilon);
  out(y, std::get<0>(r));
  fresh(mean, std::get<1>(r).reshape({-1}));
  fresh(variance, std::get<2>(r).reshape({-1}).pow(-2).sub_(epsilon));
}
ATEN_KERNEL(layer_norm, layer_norm, LayerNormKernel, kFloating);

void layer_norm_grad(const Ctx&, const DT& x, const OptDT& scale, const OptDT& bias, const DT& mean,
                     const DT& variance, const DT& dy, float epsilon, int begin, DT* dx, DT* dscale, DT* dbias) {
  auto shape = inner(x, begin);
  auto stats = sizes(x);
  for (size_t i = begin; i < stats.size(); ++i) stats[i] = 1;
  auto rstd = at::rsqrt(in(variance) + epsilon);
  bool want_scale = dscale && scale, want_bias = dbias && bias;
  // Paddle has dropped the bias's values by now; ATen looks at its shape alone.
  auto bias_like = want_bias ? std::optional<Tensor>(at::empty(shape, options(bias->dtype()))) : std::nullopt;
  auto r = at::native_layer_norm_backward(in(dy), in(x), shape, in(mean).reshape(stats), rstd.reshape(stats),
                                          shaped(scale, shape), bias_like, {dx != nullptr, want_scale, want_bias});
  if (dx) fresh(dx, std::get<0>(r));
  if (want_scale) fresh(dscale, std::get<1>(r).reshape({-1}));
  if (want_bias) fresh(dbias, std::get<2>(r).reshape({-1}));
}
ATEN_KERNEL(layer_norm_grad, layer_norm_grad, LayerNormGradKernel, kFloating);

}  // namespace
}  // namespace paddle_aten
