// Operators that Paddle does not have, called from Python by name.
#include "bridge.h"
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

// A convolution's gradients apart, and convolution, bias and ReLU in one call, for gradients written by hand.
Tensor seen(const PT& t, bool last) { return nchw(view(t), last); }
std::tuple<Tensor, Tensor, Tensor> backward(const PT& dy, const PT& x, const PT& w, int64_t s, int64_t p, bool last,
                                            std::array<bool, 3> wanted) {
  return at::convolution_backward(seen(dy, last), seen(x, last), view(w), c10::nullopt, {s, s}, {p, p}, {1, 1}, false,
                                  {0, 0}, 1, wanted);
}
Many conv_dx(const PT& dy, const PT& x, const PT& w, int s, int p, bool last) {
  return guarded([&] { return from_nchw(std::get<0>(backward(dy, x, w, s, p, last, {true, false, false})), last); });
}
Many conv_dw(const PT& dy, const PT& x, const PT& w, int s, int p, bool last) {
  return guarded([&] { return std::get<1>(backward(dy, x, w, s, p, last, {false, true, false})); });
}
Many conv_relu(const PT& x_, const PT& w_, const PT& b_, int s, int p, bool last) {
  return guarded([&] {
    auto x = seen(x_, last), w = view(w_), b = view(b_);
    Longs stride = {s, s}, padding = {p, p}, dilation = {1, 1};
    bool fused = device().is_cuda() && x.scalar_type() != at::kDouble;  // cuDNN has no such call for doubles
    auto y = fused ? at::cudnn_convolution_relu(x, w, b, stride, padding, dilation, 1)
                   : at::relu(at::convolution(x, w, b, stride, padding, dilation, false, {0, 0}, 1));
    return from_nchw(y, last);
  });
}

// relu'(y) dy written over y, whose values nobody needs any more.
void relu_grad_over(const PT& dy_, PT& y_) {
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
CONVOLUTION(conv_relu, "X", "W", "B")

PD_BUILD_OP(aten_mask_over)
    .Inputs({"DY", "Y"})
    .Outputs({"Out"})
    .SetInplaceMap({{"Y", "Out"}})
    .SetKernelFn(PD_KERNEL(relu_grad_over));

PD_BUILD_OP(aten_adam)
    .Inputs({paddle::Vec("Params"), paddle::Vec("Grads"), paddle::Vec("Moments1"), paddle::Vec("Moments2"),
             paddle::Vec("Powers1"), paddle::Vec("Powers2"), "LearningRate"})
    .Outputs({"Rate"})
    .Attrs({"beta1: double", "beta2: double", "epsilon: double"})
    .SetKernelFn(PD_KERNEL(adam));
