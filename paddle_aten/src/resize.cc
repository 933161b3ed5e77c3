// Resizing images, and padding them.
#include "bridge.h"
#include "layout.h"
#include "paddle/phi/kernels/interpolate_grad_kernel.h"
#include "paddle/phi/kernels/interpolate_kernel.h"
#include "paddle/phi/kernels/pad3d_grad_kernel.h"
#include "paddle/phi/kernels/pad3d_kernel.h"
#include "paddle/phi/kernels/pad_grad_kernel.h"
#include "paddle/phi/kernels/pad_kernel.h"

namespace paddle_aten {
namespace {

using OptList = paddle::optional<std::vector<const DT*>>;

Longs plane(const DT& t, bool last) {
  int at = last ? 1 : 2;
  return {t.dims()[at], t.dims()[at + 1]};
}

void nearest_interp(const Ctx&, const DT& x, const OptDT&, const OptList&, const OptDT&, const Str& format, int, int,
                    int, const std::vector<double>&, const Str&, bool align_corners, int, DT* y) {
  PADDLE_ENFORCE_EQ(align_corners, false, common::errors::Unimplemented("nearest with align_corners"));
  bool last = channels_last(format);
  out(y, from_nchw(at::upsample_nearest2d(nchw(in(x), last), plane(*y, last)), last));
}
ATEN_KERNEL(nearest_interp, nearest_interp, NearestInterpKernel, kFloating);
void nearest_interp_grad(const Ctx&, const DT& x, const OptDT&, const OptList&, const OptDT&, const DT& dy,
                         const Str& format, int, int, int, const std::vector<double>&, const Str&, bool, int, DT* dx) {
  bool last = channels_last(format);
  auto d = nchw(in(dy), last);
  auto size = plane(x, last);
  fresh(dx, from_nchw(at::upsample_nearest2d_backward(d, plane(dy, last), {d.size(0), d.size(1), size[0], size[1]}), last));
}
ATEN_KERNEL(nearest_interp_grad, nearest_interp_grad, NearestInterpGradKernel, kFloating);

// A tensor of t's shape and type, for kernels that are given a tensor without its values.
Tensor shape_of(const DT& t) { return at::empty(sizes(t), options(t.dtype())); }

// One axis of a bilinear resize without half pixels (align_mode 1, TensorFlow 1's): where output i reads from.
struct Line {
  Line(int64_t from, int64_t to, double factor, const Tensor& like) {
    double ratio = factor > 0 ? 1 / factor : static_cast<double>(from) / to;
    auto at = at::arange(to, like.options().dtype(at::kDouble)) * ratio;
    low = at.floor().to(at::kLong).clamp_max(from - 1);
    high = (low + 1).clamp_max(from - 1);
    share = (at - low).to(like.scalar_type());
    size = from;
  }
  Tensor apply(const Tensor& x, int64_t axis) const {
    Longs shape(x.dim(), 1);
    shape[axis] = -1;
    return at::lerp(x.index_select(axis, low), x.index_select(axis, high), share.reshape(shape));
  }
  // The line as a matrix [to, from].
  Tensor matrix() const {
    auto rows = at::zeros({low.size(0), size}, share.options());
    return rows.scatter_add(1, low.unsqueeze(1), (1 - share).unsqueeze(1))
        .scatter_add(1, high.unsqueeze(1), share.unsqueeze(1));
  }
  Tensor low, high, share;
  int64_t size;
};
double factor_of(const std::vector<double>& scale, size_t i) {
  return scale.empty() ? 0 : scale[std::min(i, scale.size() - 1)];
}
std::optional<double> given(double factor) { return factor > 0 ? std::optional<double>(factor) : std::nullopt; }

void bilinear_interp(const Ctx&, const DT& x_, const OptDT&, const OptList&, const OptDT&, const Str& format, int, int,
                     int, const std::vector<double>& scale, const Str&, bool align_corners, int align_mode, DT* y) {
  bool last = channels_last(format);
  auto x = nchw(in(x_), last);
  auto size = plane(*y, last);
  double fy = factor_of(scale, 0), fx = factor_of(scale, 1);
  if (align_corners || align_mode == 0)
    return out(y, from_nchw(at::upsample_bilinear2d(x, size, align_corners, given(fy), given(fx)), last));
  auto rows = Line(x.size(2), size[0], fy, x).apply(x, 2);
  out(y, from_nchw(Line(x.size(3), size[1], fx, x).apply(rows, 3), last));
}
ATEN_KERNEL(bilinear_interp, bilinear_interp, BilinearInterpKernel, kFloating);
void bilinear_interp_grad(const Ctx&, const DT& x_, const OptDT&, const OptList&, const OptDT&, const DT& dy_,
                          const Str& format, int, int, int, const std::vector<double>& scale, const Str&,
                          bool align_corners, int align_mode, DT* dx) {
  bool last = channels_last(format);
  auto dy = nchw(in(dy_), last), x = nchw(shape_of(x_), last);
  double fy = factor_of(scale, 0), fx = factor_of(scale, 1);
  if (align_corners || align_mode == 0) {
    auto g = at::upsample_bilinear2d_backward(dy, plane(dy_, last), x.sizes(), align_corners, given(fy), given(fx));
    return fresh(dx, from_nchw(g, last));
  }
  auto rows = Line(x.size(2), dy.size(2), fy, x).matrix(), columns = Line(x.size(3), dy.size(3), fx, x).matrix();
  fresh(dx, from_nchw(at::matmul(rows.t(), at::matmul(dy, columns)), last));
}
ATEN_KERNEL(bilinear_interp_grad, bilinear_interp_grad, BilinearInterpGradKernel, kFloating);

// ---- padding ----

// Paddle's pad lists the axes from the first, ATen's from the last; pad3d's list is ATen's already.
Longs from_the_last(const std::vector<int>& paddings) {
  Longs sides;
  for (int i = static_cast<int>(paddings.size()) - 2; i >= 0; i -= 2)
    sides.insert(sides.end(), {paddings[i], paddings[i + 1]});
  return sides;
}
Longs negative(Longs sides) {
  for (auto& side : sides) side = -side;
  return sides;
}
void pad(const Ctx&, const DT& x, const std::vector<int>& paddings, const phi::Scalar& value, DT* y) {
  out(y, at::constant_pad_nd(in(x), from_the_last(paddings), scalar(value)));
}
ATEN_KERNEL(pad, pad, PadKernel, kNumeric);
void pad_grad(const Ctx&, const DT& dy, const std::vector<int>& paddings, const phi::Scalar&, DT* dx) {
  fresh(dx, at::constant_pad_nd(in(dy), negative(from_the_last(paddings)), 0));
}
ATEN_KERNEL(pad_grad, pad_grad, PadGradKernel, kFloating);

void pad3d(const Ctx&, const DT& x_, const phi::IntArray& paddings, const Str& mode, double value, const Str& format,
           DT* y) {
  bool last = channels_last(format);
  auto x = nchw(in(x_), last);
  auto sides = paddings.GetData();
  auto padded = mode == "constant"    ? at::constant_pad_nd(x, sides, value)
                : mode == "reflect"   ? at::reflection_pad3d(x, sides)
                : mode == "replicate" ? at::replication_pad3d(x, sides)
                                      : Tensor();
  PADDLE_ENFORCE_EQ(padded.defined(), true, common::errors::Unimplemented("pad3d with mode %s", mode));
  out(y, from_nchw(padded, last));
}
ATEN_KERNEL(pad3d, pad3d, Pad3dKernel, kNumeric);
void pad3d_grad(const Ctx&, const DT& x_, const DT& dy_, const phi::IntArray& paddings, const Str& mode, double,
                const Str& format, DT* dx) {
  bool last = channels_last(format);
  auto dy = nchw(in(dy_), last);
  auto sides = paddings.GetData();
  PADDLE_ENFORCE_NE(mode, "circular", common::errors::Unimplemented("pad3d with mode circular"));
  auto g = mode == "constant"  ? at::constant_pad_nd(dy, negative(sides), 0)
           : mode == "reflect" ? at::reflection_pad3d_backward(dy, nchw(shape_of(x_), last), sides)
                               : at::replication_pad3d_backward(dy, nchw(shape_of(x_), last), sides);
  fresh(dx, from_nchw(g, last));
}
ATEN_KERNEL(pad3d_grad, pad3d_grad, Pad3dGradKernel, kFloating);

}  // namespace
}  // namespace paddle_aten
