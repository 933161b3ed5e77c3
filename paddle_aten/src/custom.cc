// Operators that Paddle does not have, called from Python by name.
#include "bridge.h"
#include "fuse.h"
#include "layout.h"
#include "paddle/phi/api/ext/op_meta_info.h"
#include "paddle/phi/api/include/tensor.h"

#include <torch/headeronly/version.h>

// What this library was built for, found by reading the file: a wrong pair must be refused before it is loaded.
#ifndef PADDLE_VERSION
#define PADDLE_VERSION "3.3.1"
#endif
extern "C" __attribute__((visibility("default"), used)) const char paddle_aten_built_for[] =
    "paddle_aten built for paddle " PADDLE_VERSION " torch " TORCH_VERSION ";";

namespace {

using namespace paddle_aten;
using PT = paddle::Tensor;
using Many = std::vector<PT>;

Tensor view(const PT& t) { return in(*static_cast<phi::DenseTensor*>(t.impl().get())); }
std::vector<Tensor> views(const Many& ts) {
  std::vector<Tensor> found;
  for (auto& t : ts) found.push_back(view(t));
  return found;
}
PT give(const Tensor& t) {
  auto dense = std::make_shared<phi::DenseTensor>();
  dense->set_type(to_paddle(t.scalar_type()));
  fresh(dense.get(), t);
  return PT(dense);
}
template <typename Fn>
Many guarded(Fn&& fn) {
  try {
    NoAutograd no_autograd;
    if constexpr (std::is_void_v<std::invoke_result_t<Fn>>) return fn(), Many{};
    else return {give(fn())};
  } catch (const c10::Error& e) {
    PADDLE_THROW(common::errors::External("ATen: %s", e.what_without_backtrace()));
  }
}

// One step of TensorFlow's Adam over many tensors, in place: p -= rate m / (sqrt(v) + epsilon) with
// rate = lr sqrt(1 - beta2^t) / (1 - beta1^t). The powers are on the device and hold beta^t.
Many adam(const Many& params_, const Many& grads_, const Many& moments1_, const Many& moments2_, const Many& powers1_,
          const Many& powers2_, const PT& lr, double beta1, double beta2, double epsilon) {
  return guarded([&] {
    auto params = views(params_), grads = views(grads_), m = views(moments1_), v = views(moments2_);
    auto powers1 = views(powers1_), powers2 = views(powers2_);
    at::_foreach_lerp_(m, grads, 1 - beta1);
    at::_foreach_mul_(v, beta2);
    at::_foreach_addcmul_(v, grads, grads, 1 - beta2);
    auto roots = at::_foreach_sqrt(v);
    at::_foreach_add_(roots, epsilon);
    auto rate = view(lr) * at::sqrt(1 - powers2[0]) / (1 - powers1[0]);
    auto steps = at::_foreach_div(m, roots);
    at::_foreach_mul_(steps, rate.to(params[0].scalar_type()).reshape({}));
    at::_foreach_sub_(params, steps);
    at::_foreach_mul_(powers1, beta1);
    at::_foreach_mul_(powers2, beta2);
    return rate;
  });
}

// Convolutions and their gradients apart, for gradients written by hand. Where images have their channels last, kernels
// have too, as [out, h, w, in]: ATen would turn them anew in every call.
Tensor seen(const PT& t, bool last) { return nchw(view(t), last); }
std::tuple<Tensor, Tensor, Tensor> backward(const PT& dy, const PT& x, const PT& w, int64_t s, int64_t p, bool last,
                                            std::array<bool, 3> wanted) {
  return at::convolution_backward(seen(dy, last), seen(x, last), seen(w, last), c10::nullopt, {s, s}, {p, p}, {1, 1},
                                  false, {0, 0}, 1, wanted);
}
Many conv_dx(const PT& dy, const PT& x, const PT& w, int s, int p, bool last) {
  return guarded([&] { return from_nchw(std::get<0>(backward(dy, x, w, s, p, last, {true, false, false})), last); });
}
Many conv_dw(const PT& dy, const PT& x, const PT& w, int s, int p, bool last) {
  return guarded([&] { return from_nchw(std::get<1>(backward(dy, x, w, s, p, last, {false, true, false})), last); });
}
Many conv(const PT& x, const PT& w, int s, int p, bool last) {
  return guarded([&] {
    auto y = at::convolution(seen(x, last), seen(w, last), c10::nullopt, {s, s}, {p, p}, {1, 1}, false, {0, 0}, 1);
    return from_nchw(y, last);
  });
}
Many conv_relu(const PT& x_, const PT& w_, const PT& b_, int s, int p, bool last) {
  return guarded([&] {
    auto x = seen(x_, last), w = seen(w_, last), b = view(b_);
    Longs stride = {s, s}, padding = {p, p}, dilation = {1, 1};
    bool fused = device().is_cuda() && x.scalar_type() != at::kDouble;  // cuDNN has no such call for doubles
    auto y = fused ? at::cudnn_convolution_relu(x, w, b, stride, padding, dilation, 1)
                   : at::relu(at::convolution(x, w, b, stride, padding, dilation, false, {0, 0}, 1));
    return from_nchw(y, last);
  });
}

// Batch norm of a batch in parts, each with its own statistics, which are put together from those of its samples.
Many norm_of_parts(const PT& x_, const PT& scale, const PT& offset, int parts, float epsilon, bool relu, bool last) {
  return guarded([&] {
    auto x = view(x_);
    bool second = !last && x.dim() > 2;  // channels come second, before the pixels
    auto samples = x.dim() == 2 ? x.unsqueeze(1) : last ? x.flatten(1, -2) : x.flatten(2).transpose(1, 2);
    int64_t n = samples.size(0), pixels = samples.size(1), channels = samples.size(2), each = n / parts;
    Longs along = {1};
    auto [within, means] = at::var_mean(samples, along, c10::Scalar(0));
    auto [between, mean] = at::var_mean(means.view({parts, each, channels}), along, c10::Scalar(0), true);
    auto variance = within.view({parts, each, channels}).mean({1}, true) + between;
    auto seen = [&](const Tensor& t) { return second ? t.unsqueeze(-1) : t; };
    auto whole = second ? x.reshape({parts, each, channels, pixels}) : x.reshape({parts, each * pixels, channels});
    auto center = seen(mean), slope = seen(view(scale) * at::rsqrt(variance + epsilon)), level = seen(view(offset));
    Tensor y;
    if (!can_fuse(x)) {
      y = (whole - center).mul_(slope).add_(level);
      if (relu) y.relu_();
    } else if (relu) {
      y = fuse("norm_relu",
               "template <typename T> T norm_relu(T x, T m, T a, T b) {"
               "  T y = (x - m) * a + b;"
               "  return y < T(0) ? T(0) : y;"
               "}",
               {whole, center, slope, level});
    } else {
      y = fuse("norm", "template <typename T> T norm(T x, T m, T a, T b) { return (x - m) * a + b; }",
               {whole, center, slope, level});
    }
    return y.reshape(x.sizes());
  });
}

// x, and smaller images with each pixel for 2x2 of x's, seen so that they broadcast.
std::pair<Tensor, Tensor> matched(const Tensor& x, const Tensor& small, bool last) {
  if (x.sizes() == small.sizes()) return {x, small};
  auto in_blocks = [&](const Tensor& t, int64_t side) {
    auto s = small.sizes();
    return last ? t.reshape({s[0], s[1], side, s[2], side, s[3]}) : t.reshape({s[0], s[1], s[2], side, s[3], side});
  };
  return {in_blocks(x, 2), in_blocks(small, 1)};
}
Many add_with_bias(const PT& x_, const PT& y_, const PT& bias_, bool last) {
  return guarded([&] {
    auto x = view(x_), bias = view(bias_);
    if (!last) bias = bias.reshape({-1, 1, 1});
    if (can_fuse(x))
      return fuse("add_with_bias", "template <typename T> T add_with_bias(T x, T y, T b) { return x + (y + b); }",
                  {x, view(y_), bias});
    return at::add(x, view(y_) + bias);
  });
}
Many relu_backward_plus(const PT& y_, const PT& dy_, const PT& more_, bool last) {
  return guarded([&] {
    auto y = view(y_);
    auto [dy, more] = matched(view(dy_), view(more_), last);
    auto seen = y.reshape(dy.sizes());
    auto sum = can_fuse(y)
                   ? fuse("relu_backward_plus",
                          "template <typename T> T relu_backward_plus(T y, T d, T m) { return (y > T(0) ? d : T(0)) + m; }",
                          {seen, dy, more})
                   : at::threshold_backward(dy, seen, 0).add_(more);
    return sum.reshape(y.sizes());
  });
}

// relu'(y) dy written over y, whose values nobody needs any more.
void relu_backward_over(const PT& dy_, PT& y_) {
  guarded([&] {
    auto dy = view(dy_), y = view(y_);
    at::threshold_backward_out(y, dy, y, 0);
  });
}

}  // namespace

#define CONVOLUTION(name, ...)                                 \
  PD_BUILD_OP(aten_##name)                                     \
      .Inputs({__VA_ARGS__})                                   \
      .Outputs({"Out"})                                        \
      .Attrs({"stride: int", "padding: int", "last: bool"})    \
      .SetKernelFn(PD_KERNEL(name));
CONVOLUTION(conv_dx, "DY", "X", "W")
CONVOLUTION(conv_dw, "DY", "X", "W")
CONVOLUTION(conv, "X", "W")
CONVOLUTION(conv_relu, "X", "W", "B")

PD_BUILD_OP(aten_norm_of_parts)
    .Inputs({"X", "Scale", "Offset"})
    .Outputs({"Out"})
    .Attrs({"parts: int", "epsilon: float", "relu: bool", "last: bool"})
    .SetKernelFn(PD_KERNEL(norm_of_parts));

PD_BUILD_OP(aten_add_with_bias)
    .Inputs({"X", "Y", "Bias"})
    .Outputs({"Out"})
    .Attrs({"last: bool"})
    .SetKernelFn(PD_KERNEL(add_with_bias));

// Paddle takes an operator with "_grad" in its name for the gradient of another.
PD_BUILD_OP(aten_relu_backward_plus)
    .Inputs({"Y", "DY", "More"})
    .Outputs({"Out"})
    .Attrs({"last: bool"})
    .SetKernelFn(PD_KERNEL(relu_backward_plus));

PD_BUILD_OP(aten_relu_backward_over)
    .Inputs({"DY", "Y"})
    .Outputs({"Out"})
    .SetInplaceMap({{"Y", "Out"}})
    .SetKernelFn(PD_KERNEL(relu_backward_over));

PD_BUILD_OP(aten_adam)
    .Inputs({paddle::Vec("Params"), paddle::Vec("Grads"), paddle::Vec("Moments1"), paddle::Vec("Moments2"),
             paddle::Vec("Powers1"), paddle::Vec("Powers2"), "LearningRate"})
    .Outputs({"Rate"})
    .Attrs({"beta1: double", "beta2: double", "epsilon: double"})
    .SetKernelFn(PD_KERNEL(adam));
