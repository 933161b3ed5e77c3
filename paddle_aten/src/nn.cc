// Layers: convolution, pooling, losses, embedding.
#include "bridge.h"
#include "layout.h"
#include "paddle/phi/kernels/conv_grad_kernel.h"
#include "paddle/phi/kernels/conv_kernel.h"
#include "paddle/phi/kernels/conv_transpose_grad_kernel.h"
#include "paddle/phi/kernels/conv_transpose_kernel.h"
#include "paddle/phi/kernels/cross_entropy_grad_kernel.h"
#include "paddle/phi/kernels/cross_entropy_kernel.h"
#include "paddle/phi/kernels/embedding_grad_kernel.h"
#include "paddle/phi/kernels/embedding_kernel.h"
#include "paddle/phi/kernels/log_softmax_grad_kernel.h"
#include "paddle/phi/kernels/log_softmax_kernel.h"
#include "paddle/phi/kernels/pool_grad_kernel.h"
#include "paddle/phi/kernels/pool_kernel.h"
#include "paddle/phi/kernels/sigmoid_cross_entropy_with_logits_grad_kernel.h"
#include "paddle/phi/kernels/sigmoid_cross_entropy_with_logits_kernel.h"
#include "paddle/phi/kernels/softmax_grad_kernel.h"
#include "paddle/phi/kernels/softmax_kernel.h"

namespace paddle_aten {
namespace {

// ---- convolution ----

// A convolution's geometry as ATen wants it. Gradients of one are built from
// at::convolution and at::convolution_backward, which are each other's adjoints.
struct Conv {
  Conv(const DT& x, const DT& w, const Ints& strides, const Ints& paddings, const Str& algorithm, const Ints& dilations,
       int groups_, const Str& format, bool transposed_ = false, const DT* y = nullptr)
      : stride(longs(strides)), dilation(longs(dilations)), groups(groups_), last(channels_last(format)),
        transposed(transposed_) {
    const int n = stride.size();
    auto spatial = [&](const DT& t, int i) { return t.dims()[(last ? 1 : 2) + i]; };
    if (algorithm == "SAME") dilation.assign(n, 1);  // Paddle ignores it there
    for (int i = 0; i < n; ++i) {
      int64_t k = (w.dims()[2 + i] - 1) * dilation[i] + 1, before = 0, after = 0;
      if (algorithm == "SAME") {
        int64_t size = spatial(x, i), target = (size + stride[i] - 1) / stride[i];
        int64_t total = std::max<int64_t>((target - 1) * stride[i] + k - size, 0);
        before = total / 2, after = total - before;
      } else if (algorithm != "VALID") {
        bool pairs = static_cast<int>(paddings.size()) == 2 * n;
        before = paddings[pairs ? 2 * i : i], after = paddings[pairs ? 2 * i + 1 : i];
      }
      int64_t both = std::min(before, after), extra = 0;
      if (transposed) extra = spatial(*y, i) - ((spatial(x, i) - 1) * stride[i] - before - after + k);
      padding.push_back(both);
      output_padding.push_back(std::max<int64_t>(extra - (after - both), 0));
      front.push_back(before - both);
      back.push_back(std::max<int64_t>(after - both - extra, 0));
    }
  }

  // ATen pads both sides alike. What one side has more is added to the larger image (a convolution's input, a
  // transposed convolution's output), and cut off again on the way back.
  Tensor widen(const Tensor& t) const {
    Longs sides;
    for (int i = front.size() - 1; i >= 0; --i) sides.insert(sides.end(), {front[i], back[i]});
    bool even = std::all_of(sides.begin(), sides.end(), [](int64_t side) { return side == 0; });
    return even ? t : at::constant_pad_nd(t, sides, 0);
  }
  Tensor cut(Tensor t) const {
    if (!t.defined()) return t;
    for (size_t i = 0; i < front.size(); ++i)
      if (front[i] + back[i]) t = t.narrow(2 + i, front[i], t.size(2 + i) - front[i] - back[i]);
    return t;
  }

  Tensor operator()(const Tensor& x, const Tensor& w) const {
    auto y = at::convolution(transposed ? x : widen(x), w, {}, stride, padding, dilation, transposed, output_padding,
                             groups);
    return transposed ? cut(y) : y;
  }
  // The gradients of x and w (each undefined where not wanted).
  std::pair<Tensor, Tensor> grad(const Tensor& dy, const Tensor& x, const Tensor& w, bool want_x, bool want_w) const {
    if (!want_x && !want_w) return {};
    auto r = at::convolution_backward(transposed ? widen(dy) : dy, transposed ? x : widen(x), w, c10::nullopt, stride,
                                      padding, dilation, transposed, output_padding, groups, {want_x, want_w, false});
    return {transposed ? std::get<0>(r) : cut(std::get<0>(r)), std::get<1>(r)};
  }
  Tensor in_x(const DT& t) const { return nchw(in(t), last); }
  Tensor out_x(const Tensor& t) const { return t.defined() ? from_nchw(t, last) : t; }

  void forward(const DT& x, const DT& w, DT* y) const { out(y, out_x((*this)(in_x(x), in(w)))); }
  void backward(const DT& x, const DT& w, const DT& dy, DT* dx, DT* dw) const {
    auto g = grad(in_x(dy), in_x(x), in(w), dx, dw);
    fresh(dx, out_x(g.first));
    fresh(dw, g.second);
  }
  void double_backward(const DT& x, const DT& w, const DT& dy, const std::optional<Tensor>& ddx,
                       const std::optional<Tensor>& ddw, DT* dx, DT* dw, DT* ddy) const {
    auto vx = in_x(x), vw = in(w), vdy = in_x(dy);
    // dx pairs with ddw, dw with ddx; where one is missing its partner is zero.
    auto gx = grad(vdy, vx, ddw.value_or(vw), dx && ddw, false).first;
    auto gw = grad(vdy, ddx.value_or(vx), vw, false, dw && ddx).second;
    Tensor gy;
    if (ddy && ddx) gy = (*this)(*ddx, vw);
    if (ddy && ddw) gy = gy.defined() ? gy.add((*this)(vx, *ddw)) : (*this)(vx, *ddw);
    fresh(dx, out_x(!dx || gx.defined() ? gx : at::zeros_like(vx)));
    fresh(dw, !dw || gw.defined() ? gw : at::zeros_like(vw));
    fresh(ddy, out_x(!ddy || gy.defined() ? gy : at::zeros_like(vdy)));
  }

  Longs stride, dilation, padding, output_padding, front, back;
  int64_t groups;
  bool last, transposed;
};

void conv2d(const Ctx&, const DT& x, const DT& w, const Ints& s, const Ints& p, const Str& algorithm, const Ints& d,
            int groups, const Str& format, DT* y) {
  Conv(x, w, s, p, algorithm, d, groups, format).forward(x, w, y);
}
ATEN_KERNEL(conv2d, conv2d, ConvKernel, kFloating);
void conv2d_grad(const Ctx&, const DT& x, const DT& w, const DT& dy, const Ints& s, const Ints& p, const Str& algorithm,
                 const Ints& d, int groups, const Str& format, DT* dx, DT* dw) {
  Conv(x, w, s, p, algorithm, d, groups, format).backward(x, w, dy, dx, dw);
}
ATEN_KERNEL(conv2d_grad, conv2d_grad, ConvGradKernel, kFloating);
void conv2d_double_grad(const Ctx&, const DT& x, const DT& w, const DT& dy, const OptDT& ddx, const OptDT& ddw,
                        const Ints& s, const Ints& p, const Str& algorithm, const Ints& d, int groups,
                        const Str& format, DT* dx, DT* dw, DT* ddy) {
  Conv conv(x, w, s, p, algorithm, d, groups, format);
  auto vddx = in(ddx);
  if (vddx) vddx = nchw(*vddx, conv.last);
  conv.double_backward(x, w, dy, vddx, in(ddw), dx, dw, ddy);
}
ATEN_KERNEL(conv2d_double_grad, conv2d_double_grad, ConvGradGradKernel, kFloating);

void depthwise_conv2d(const Ctx& c, const DT& x, const DT& w, const Ints& s, const Ints& p, const Str& algorithm,
                      int groups, const Ints& d, const Str& format, DT* y) {
  conv2d(c, x, w, s, p, algorithm, d, groups, format, y);
}
ATEN_KERNEL(depthwise_conv2d, depthwise_conv2d, DepthwiseConvKernel, kFloating);
void depthwise_conv2d_grad(const Ctx& c, const DT& x, const DT& w, const DT& dy, const Ints& s, const Ints& p,
                           const Str& algorithm, int groups, const Ints& d, const Str& format, DT* dx, DT* dw) {
  conv2d_grad(c, x, w, dy, s, p, algorithm, d, groups, format, dx, dw);
}
ATEN_KERNEL(depthwise_conv2d_grad, depthwise_conv2d_grad, DepthwiseConvGradKernel, kFloating);

void conv2d_transpose(const Ctx&, const DT& x, const DT& w, const Ints& s, const Ints& p, const Ints&,
                      const phi::IntArray&, const Str& algorithm, int groups, const Ints& d, const Str& format, DT* y) {
  Conv(x, w, s, p, algorithm, d, groups, format, true, y).forward(x, w, y);
}
ATEN_KERNEL(conv2d_transpose, conv2d_transpose, Conv2dTransposeKernel, kFloating);
void conv2d_transpose_grad(const Ctx&, const DT& x, const DT& w, const DT& dy, const Ints& s, const Ints& p,
                           const Ints&, const phi::IntArray&, const Str& algorithm, int groups, const Ints& d,
                           const Str& format, DT* dx, DT* dw) {
  Conv(x, w, s, p, algorithm, d, groups, format, true, &dy).backward(x, w, dy, dx, dw);
}
ATEN_KERNEL(conv2d_transpose_grad, conv2d_transpose_grad, Conv2dTransposeGradKernel, kFloating);
void conv2d_transpose_double_grad(const Ctx&, const DT& x, const DT& w, const DT& dy, const DT& ddx, const DT& ddw,
                                  const Ints& s, const Ints& p, const Ints&, const phi::IntArray&,
                                  const Str& algorithm, int groups, const Ints& d, const Str& format, DT* dx, DT* dw,
                                  DT* ddy) {
  Conv conv(x, w, s, p, algorithm, d, groups, format, true, &dy);
  conv.double_backward(x, w, dy, conv.in_x(ddx), in(ddw), dx, dw, ddy);
}
ATEN_KERNEL(conv2d_transpose_double_grad, conv2d_transpose_double_grad, Conv2dTransposeDoubleGradKernel, kFloating);

void depthwise_conv2d_transpose(const Ctx& c, const DT& x, const DT& w, const Ints& s, const Ints& p, const Ints& o,
                                const phi::IntArray& size, const Str& algorithm, int groups, const Ints& d,
                                const Str& format, DT* y) {
  conv2d_transpose(c, x, w, s, p, o, size, algorithm, groups, d, format, y);
}
ATEN_KERNEL(depthwise_conv2d_transpose, depthwise_conv2d_transpose, DepthwiseConv2dTransposeKernel, kFloating);
void depthwise_conv2d_transpose_grad(const Ctx& c, const DT& x, const DT& w, const DT& dy, const Ints& s,
                                     const Ints& p, const Ints& o, const phi::IntArray& size, const Str& algorithm,
                                     int groups, const Ints& d, const Str& format, DT* dx, DT* dw) {
  conv2d_transpose_grad(c, x, w, dy, s, p, o, size, algorithm, groups, d, format, dx, dw);
}
ATEN_KERNEL(depthwise_conv2d_transpose_grad, depthwise_conv2d_transpose_grad, DepthwiseConv2dTransposeGradKernel,
            kFloating);

// ---- pooling ----

// ATen pads both sides alike; where Paddle's sides differ, the image itself is padded, with what does not count.
struct Pool {
  Pool(const DT& x, const phi::IntArray& kernel_, const Longs& stride_, const Longs& paddings, bool ceil_,
       bool exclusive_, const Str& format, const Str& type, bool global, bool adaptive_, const Str& algorithm)
      : kernel(kernel_.GetData()), stride(stride_), ceil(ceil_), exclusive(exclusive_), last(channels_last(format)),
        average(type == "avg"), adaptive(adaptive_ && !global) {
    PADDLE_ENFORCE_EQ(adaptive && !average, false, common::errors::Unimplemented("adaptive max pooling"));
    for (int i = 0; i < 2; ++i) {
      int64_t size = x.dims()[(last ? 1 : 2) + i], before = 0, after = 0;
      if (global) {
        kernel[i] = stride[i] = size;
      } else if (algorithm == "SAME") {
        int64_t total = std::max<int64_t>(((size + stride[i] - 1) / stride[i] - 1) * stride[i] + kernel[i] - size, 0);
        before = total / 2, after = total - before;
      } else if (algorithm != "VALID") {
        bool pairs = paddings.size() == 4;
        before = paddings[pairs ? 2 * i : i], after = paddings[pairs ? 2 * i + 1 : i];
      }
      padding.push_back(before);
      sides.insert(sides.begin(), {before, after});
      uneven |= before != after;
    }
    // Paddle's CPU kernel counts padding before the image but not padding behind it.
    PADDLE_ENFORCE_EQ(uneven && average && !exclusive, false,
                      common::errors::Unimplemented("average pooling that counts uneven padding"));
    PADDLE_ENFORCE_EQ(uneven && ceil, false, common::errors::Unimplemented("ceil_mode with uneven padding"));
    if (uneven) padding = {0, 0};
  }
  Tensor widen(const Tensor& x) const {
    double nothing = average ? 0 : -std::numeric_limits<double>::infinity();
    return uneven ? at::constant_pad_nd(x, sides, nothing) : x;
  }
  Tensor cut(const Tensor& x) const {
    Longs less = sides;
    for (auto& side : less) side = -side;
    return uneven ? at::constant_pad_nd(x, less) : x;
  }
  // With uneven padding an average is a sum over what counts.
  std::optional<int64_t> divisor() const { return uneven ? std::optional<int64_t>(1) : std::nullopt; }
  Tensor averaged(const Tensor& x) const {
    return at::avg_pool2d(widen(x), kernel, stride, padding, ceil, !exclusive, divisor());
  }
  Tensor count(const Tensor& x) const {
    return averaged(at::ones({1, 1, x.size(2), x.size(3)}, x.options()));
  }
  std::tuple<Tensor, Tensor> largest(const Tensor& x) const {
    return at::max_pool2d_with_indices(widen(x), kernel, stride, padding, {1, 1}, ceil);
  }
  Tensor operator()(const DT& x_) const {
    auto x = nchw(in(x_), last);
    auto y = adaptive ? at::_adaptive_avg_pool2d(x, kernel) : average ? averaged(x) : std::get<0>(largest(x));
    return from_nchw(average && uneven ? y / count(x) : y, last);
  }
  Tensor grad(const DT& x_, const DT& dy_) const {
    auto x = nchw(in(x_), last), dy = nchw(in(dy_), last), wide = widen(x);
    Tensor dx;
    if (adaptive) {
      dx = at::_adaptive_avg_pool2d_backward(dy, x);
    } else if (average) {
      if (uneven) dy = dy / count(x);
      dx = at::avg_pool2d_backward(dy, wide, kernel, stride, padding, ceil, !exclusive, divisor());
    } else {
      auto index = std::get<1>(largest(x));
      dx = at::max_pool2d_with_indices_backward(dy, wide, kernel, stride, padding, {1, 1}, ceil, index);
    }
    return from_nchw(cut(dx), last);
  }
  Longs kernel, stride, padding, sides;
  bool ceil, exclusive, last, average, adaptive, uneven = false;
};

void pool2d(const Ctx&, const DT& x, const phi::IntArray& k, const Longs& s, const Longs& p, bool ceil, bool exclusive,
            const Str& format, const Str& type, bool global, bool adaptive, const Str& algorithm, DT* y) {
  auto value = Pool(x, k, s, p, ceil, exclusive, format, type, global, adaptive, algorithm)(x);
  PADDLE_ENFORCE_EQ(value.sizes().vec(), sizes(*y), common::errors::Unimplemented("a pool's window beyond the image"));
  out(y, value);
}
ATEN_KERNEL(pool2d, pool2d, Pool2dKernel, kFloating);
void pool2d_grad(const Ctx&, const DT& x, const DT&, const DT& dy, const phi::IntArray& k, const Longs& s,
                 const Longs& p, bool ceil, bool exclusive, const Str& format, const Str& type, bool global,
                 bool adaptive, const Str& algorithm, DT* dx) {
  fresh(dx, Pool(x, k, s, p, ceil, exclusive, format, type, global, adaptive, algorithm).grad(x, dy));
}
ATEN_KERNEL(pool2d_grad, pool2d_grad, Pool2dGradKernel, kFloating);
// Average pooling is linear: its second derivative pools the incoming gradient.
void pool2d_double_grad(const Ctx&, const DT& ddx, const phi::IntArray& k, const Longs& s, const Longs& p, bool ceil,
                        bool exclusive, const Str& format, const Str& type, bool global, bool adaptive,
                        const Str& algorithm, DT* ddy) {
  PADDLE_ENFORCE_EQ(type == "avg", true, common::errors::Unimplemented("second derivative of max pooling"));
  fresh(ddy, Pool(ddx, k, s, p, ceil, exclusive, format, type, global, adaptive, algorithm)(ddx));
}
ATEN_KERNEL(pool2d_double_grad, pool2d_double_grad, Pool2dDoubleGradKernel, kFloating);

// ---- losses ----

void softmax(const Ctx&, const DT& x, int axis, DT* y) {
  out(y, at::_softmax(in(x), axis, false));
}
ATEN_KERNEL(softmax, softmax, SoftmaxKernel, kFloating);
void softmax_grad(const Ctx&, const DT& y_, const DT& dy, int axis, DT* dx) {
  auto y = in(y_);
  fresh(dx, at::_softmax_backward_data(in(dy), y, axis, y.scalar_type()));
}
ATEN_KERNEL(softmax_grad, softmax_grad, SoftmaxGradKernel, kFloating);
void log_softmax(const Ctx&, const DT& x, int axis, DT* y) {
  out(y, at::_log_softmax(in(x), axis, false));
}
ATEN_KERNEL(log_softmax, log_softmax, LogSoftmaxKernel, kFloating);
void log_softmax_grad(const Ctx&, const DT& y_, const DT& dy, int axis, DT* dx) {
  auto y = in(y_);
  fresh(dx, at::_log_softmax_backward_data(in(dy), y, axis, y.scalar_type()));
}
ATEN_KERNEL(log_softmax_grad, log_softmax_grad, LogSoftmaxGradKernel, kFloating);

// Hard labels with the class axis kept (as size 1).
Tensor class_labels(const DT& label, const Tensor& logits, int64_t axis) {
  auto t = in(label).to(at::kLong);
  return t.dim() == logits.dim() ? t : t.unsqueeze(axis);
}

void cross_entropy(const Ctx&, const DT& logits_, const DT& label, bool soft, bool use_softmax, bool, int ignore,
                   int axis, DT* softmax, DT* loss) {
  auto logits = in(logits_);
  auto logp = use_softmax ? at::_log_softmax(logits, axis, false) : logits.log();
  Tensor l;
  if (soft) {
    l = at::sum(logp * in(label), axis, true).neg_();
  } else {
    auto t = class_labels(label, logits, axis);
    auto ignored = at::eq(t, ignore);
    l = at::gather(logp, axis, t.masked_fill(ignored, 0)).neg_().masked_fill_(ignored, 0);
  }
  out(softmax, use_softmax ? logp.exp() : logits);
  out(loss, l);
}
ATEN_KERNEL(cross_entropy_with_softmax, cross_entropy, CrossEntropyWithSoftmaxKernel, kFloating);
void cross_entropy_grad(const Ctx&, const DT& label, const DT& softmax_, const DT& dloss_, bool soft, bool use_softmax,
                        bool, int ignore, int axis, DT* dlogits) {
  PADDLE_ENFORCE_EQ(use_softmax, true, common::errors::Unimplemented("cross entropy of probabilities"));
  auto softmax = in(softmax_), dloss = in(dloss_);
  if (soft) {
    auto t = in(label);
    return fresh(dlogits, (softmax * at::sum(t, axis, true) - t) * dloss);
  }
  auto t = class_labels(label, softmax, axis);
  auto ignored = at::eq(t, ignore);
  auto d = dloss.reshape(t.sizes()).masked_fill(ignored, 0);
  fresh(dlogits, (softmax * d).scatter_add_(axis < 0 ? axis + softmax.dim() : axis, t.masked_fill(ignored, 0), -d));
}
ATEN_KERNEL(cross_entropy_with_softmax_grad, cross_entropy_grad, CrossEntropyWithSoftmaxGradKernel, kFloating);

// Paddle's binary cross entropy with logits; positive examples may have a weight.
Tensor positive_weight(const OptDT& weight, const Tensor& label) {
  auto w = in(weight);
  return w ? (*w - 1) * label + 1 : at::ones_like(label);
}
void bce(const Ctx&, const DT& x_, const DT& label_, const OptDT& weight, bool normalize, int ignore, DT* y) {
  PADDLE_ENFORCE_EQ(normalize, false, common::errors::Unimplemented("normalised cross entropy with logits"));
  auto x = in(x_), label = in(label_);
  auto loss = (1 - label) * x + positive_weight(weight, label) * (at::log1p(at::exp(-x.abs())) + at::relu(-x));
  out(y, loss.masked_fill(at::eq(label, ignore), 0));
}
ATEN_KERNEL(sigmoid_cross_entropy_with_logits, bce, SigmoidCrossEntropyWithLogitsKernel, kFloating);
void bce_grad(const Ctx&, const DT& x_, const DT& label_, const OptDT& weight, const DT& dy, bool, int ignore, DT* dx) {
  auto x = in(x_), label = in(label_);
  auto g = (1 - label) - positive_weight(weight, label) * at::sigmoid(-x);
  fresh(dx, (g * in(dy)).masked_fill(at::eq(label, ignore), 0));
}
ATEN_KERNEL(sigmoid_cross_entropy_with_logits_grad, bce_grad, SigmoidCrossEntropyWithLogitsGradKernel, kFloating);

// ---- embedding ----

void embedding(const Ctx&, const DT& ids, const DT& weight, int64_t padding, DT* y) {
  auto index = in(ids).to(at::kLong);
  auto value = at::embedding(in(weight), index);
  if (padding >= 0) value.masked_fill_(at::eq(index, padding).unsqueeze(-1), 0);
  out(y, value);
}
ATEN_KERNEL(embedding, embedding, EmbeddingKernel, kFloating);
void embedding_grad(const Ctx&, const DT& ids, const DT& weight, const DT& dy, int64_t padding, DT* dweight) {
  fresh(dweight, at::embedding_dense_backward(in(dy), in(ids).to(at::kLong), weight.dims()[0], padding, false));
}
ATEN_KERNEL(embedding_grad, embedding_grad, EmbeddingGradKernel, kFloating);

}  // namespace
}  // namespace paddle_aten
