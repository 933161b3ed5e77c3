// Picking elements: gather, one-hot, sorting, masks.
#include <ATen/ExpandUtils.h>

#include "bridge.h"
#include "paddle/phi/kernels/arg_min_max_kernel.h"
#include "paddle/phi/kernels/argsort_grad_kernel.h"
#include "paddle/phi/kernels/argsort_kernel.h"
#include "paddle/phi/kernels/flip_kernel.h"
#include "paddle/phi/kernels/gather_grad_kernel.h"
#include "paddle/phi/kernels/gather_kernel.h"
#include "paddle/phi/kernels/gather_nd_grad_kernel.h"
#include "paddle/phi/kernels/gather_nd_kernel.h"
#include "paddle/phi/kernels/index_put_grad_kernel.h"
#include "paddle/phi/kernels/index_put_kernel.h"
#include "paddle/phi/kernels/index_select_grad_kernel.h"
#include "paddle/phi/kernels/index_select_kernel.h"
#include "paddle/phi/kernels/masked_fill_grad_kernel.h"
#include "paddle/phi/kernels/masked_fill_kernel.h"
#include "paddle/phi/kernels/masked_select_grad_kernel.h"
#include "paddle/phi/kernels/masked_select_kernel.h"
#include "paddle/phi/kernels/nonzero_kernel.h"
#include "paddle/phi/kernels/one_hot_kernel.h"
#include "paddle/phi/kernels/roll_grad_kernel.h"
#include "paddle/phi/kernels/roll_kernel.h"
#include "paddle/phi/kernels/set_value_grad_kernel.h"
#include "paddle/phi/kernels/set_value_kernel.h"
#include "paddle/phi/kernels/take_along_axis_grad_kernel.h"
#include "paddle/phi/kernels/take_along_axis_kernel.h"
#include "paddle/phi/kernels/top_k_grad_kernel.h"
#include "paddle/phi/kernels/top_k_kernel.h"
#include "paddle/phi/kernels/tril_triu_grad_kernel.h"
#include "paddle/phi/kernels/tril_triu_kernel.h"

namespace paddle_aten {
namespace {

using phi::IntArray;
using phi::Scalar;

// ---- gather ----

Tensor indices(const DT& index) { return in(index).to(at::kLong).reshape({-1}); }

void gather(const Ctx&, const DT& x, const DT& index, const Scalar& axis, DT* y) {
  out(y, at::index_select(in(x), axis.to<int64_t>(), indices(index)).reshape(sizes(*y)));
}
ATEN_KERNEL(gather, gather, GatherKernel, kAll);
Tensor spread_back(const DT& x, const Tensor& index, const Tensor& dy, int64_t axis) {
  auto shape = sizes(x);
  if (axis < 0) axis += shape.size();
  auto rows = shape;
  rows[axis] = index.numel();
  return at::zeros(shape, dy.options()).index_add_(axis, index, dy.reshape(rows));
}
void gather_grad(const Ctx&, const DT& x, const DT& index, const DT& dy, const Scalar& axis, DT* dx) {
  fresh(dx, spread_back(x, indices(index), in(dy), axis.to<int64_t>()));
}
ATEN_KERNEL(gather_grad, gather_grad, GatherGradKernel, kFloating);

void index_select(const Ctx&, const DT& x, const DT& index, int axis, DT* y) {
  out(y, at::index_select(in(x), axis, indices(index)));
}
ATEN_KERNEL(index_select, index_select, IndexSelectKernel, kAll);
void index_select_grad(const Ctx&, const DT& x, const DT& index, const DT& dy, int axis, DT* dx) {
  fresh(dx, spread_back(x, indices(index), in(dy), axis));
}
ATEN_KERNEL(index_select_grad, index_select_grad, IndexSelectGradKernel, kFloating);

// The last axis of index holds positions in the first axes of x.
c10::List<std::optional<Tensor>> positions(const DT& index_) {
  auto index = in(index_).to(at::kLong);
  c10::List<std::optional<Tensor>> list;
  for (auto& part : index.unbind(-1)) list.push_back(part);
  return list;
}
void gather_nd(const Ctx&, const DT& x, const DT& index, DT* y) {
  out(y, at::index(in(x), positions(index)));
}
ATEN_KERNEL(gather_nd, gather_nd, GatherNdKernel, kAll);
void gather_nd_grad(const Ctx&, const DT& x, const DT& index, const DT& dy_, DT* dx) {
  auto dy = in(dy_);
  fresh(dx, at::zeros(sizes(x), dy.options()).index_put_(positions(index), dy, true));
}
ATEN_KERNEL(gather_nd_grad, gather_nd_grad, GatherNdGradKernel, kFloating);

c10::List<std::optional<Tensor>> positions(const std::vector<const DT*>& indices) {
  c10::List<std::optional<Tensor>> list;
  for (auto* index : indices) list.push_back(index->dtype() == phi::DataType::BOOL ? in(*index) : in(*index).to(at::kLong));
  return list;
}
void index_put(const Ctx&, const DT& x, const std::vector<const DT*>& indices, const DT& value, bool add, DT* y) {
  in_place(x, y).index_put_(positions(indices), in(value), add);
}
ATEN_KERNEL(index_put, index_put, IndexPutKernel, kAll);
void index_put_grad(const Ctx&, const DT&, const std::vector<const DT*>& indices, const DT& value, const DT& dy_,
                    bool add, DT* dx, DT* dvalue) {
  auto dy = in(dy_);
  Tensor gx, gv;
  if (dx) gx = add ? dy.clone() : at::index_put(dy, positions(indices), at::zeros({}, dy.options()));
  if (dvalue) gv = unbroadcast(at::index(dy, positions(indices)), value);
  fresh(dx, gx);
  fresh(dvalue, gv);
}
ATEN_KERNEL(index_put_grad, index_put_grad, IndexPutGradKernel, kFloating);

void take_along_axis(const Ctx&, const DT& x, const DT& index, int axis, DT* y) {
  out(y, at::gather(in(x), axis, in(index).to(at::kLong)));
}
ATEN_KERNEL(take_along_axis, take_along_axis, TakeAlongAxisKernel, kAll);
void take_along_axis_grad(const Ctx&, const DT& x, const DT& index, const DT& dy_, int axis, DT* dx) {
  auto dy = in(dy_);
  fresh(dx, at::zeros(sizes(x), dy.options()).scatter_add_(axis, in(index).to(at::kLong), dy));
}
ATEN_KERNEL(take_along_axis_grad, take_along_axis_grad, TakeAlongAxisGradKernel, kFloating);

void one_hot(const Ctx&, const DT& x_, const Scalar& classes, DT* y) {
  auto x = in(x_).to(at::kLong).unsqueeze(-1);
  out(y, at::eq(x, at::arange(classes.to<int64_t>(), x.options())).to(at::kFloat));
}
ATEN_KERNEL(one_hot, one_hot, OneHotKernel, Dtypes({phi::DataType::INT32, phi::DataType::INT64}));

// ---- order ----

#define ARG(name, Ref, op)                                                                                  \
  void name(const Ctx&, const DT& x_, const Scalar& axis, bool keep, bool flatten, phi::DataType, DT* y) {  \
    auto x = in(x_);                                                                                        \
    out(y, flatten ? at::op(x.reshape({-1}), 0, keep).reshape(sizes(*y)) : at::op(x, axis.to<int64_t>(), keep)); \
  }                                                                                                         \
  ATEN_KERNEL(name, name, Ref, kNumeric);
ARG(argmax, ArgMaxKernel, argmax)
ARG(argmin, ArgMinKernel, argmin)

void topk(const Ctx&, const DT& x, const Scalar& k, int axis, bool largest, bool sorted, DT* y, DT* index) {
  auto r = at::topk(in(x), k.to<int64_t>(), axis, largest, sorted);
  out(y, std::get<0>(r));
  out(index, std::get<1>(r));
}
ATEN_KERNEL(topk, topk, TopkKernel, kNumeric);
void topk_grad(const Ctx&, const DT& x, const DT& index, const DT& dy_, const Scalar&, int axis, bool, bool, DT* dx) {
  auto dy = in(dy_);
  fresh(dx, at::zeros(sizes(x), dy.options()).scatter_(axis, in(index), dy));
}
ATEN_KERNEL(topk_grad, topk_grad, TopkGradKernel, kFloating);

void argsort(const Ctx&, const DT& x, int axis, bool descending, bool stable, DT* y, DT* index) {
  auto r = at::sort(in(x), stable, axis, descending);
  out(y, std::get<0>(r));
  out(index, std::get<1>(r));
}
ATEN_KERNEL(argsort, argsort, ArgsortKernel, kNumeric);
void argsort_grad(const Ctx&, const DT& index, const DT&, const DT& dy_, int axis, bool, bool, DT* dx) {
  auto dy = in(dy_);
  fresh(dx, at::zeros_like(dy).scatter_(axis, in(index), dy));
}
ATEN_KERNEL(argsort_grad, argsort_grad, ArgsortGradKernel, kFloating);

// ---- masks ----

void masked_fill(const Ctx&, const DT& x, const DT& mask, const DT& value, DT* y) {
  out(y, at::where(in(mask), in(value), in(x)));
}
ATEN_KERNEL(masked_fill, masked_fill, MaskedFillKernel, kAll);
void masked_fill_grad(const Ctx&, const DT& x, const DT& mask_, const DT& value, const DT& dy_, DT* dx, DT* dvalue) {
  auto mask = in(mask_), dy = in(dy_);
  if (dx) fresh(dx, unbroadcast(dy.masked_fill(mask, 0), x));
  if (dvalue) fresh(dvalue, unbroadcast(dy * mask, value));
}
ATEN_KERNEL(masked_fill_grad, masked_fill_grad, MaskedFillGradKernel, kFloating);
void masked_select(const Ctx&, const DT& x, const DT& mask, DT* y) { fresh(y, at::masked_select(in(x), in(mask))); }
ATEN_KERNEL(masked_select, masked_select, MaskedSelectKernel, kAll);
void masked_select_grad(const Ctx&, const DT& x, const DT& mask, const DT& dy_, DT* dx) {
  auto dy = in(dy_);
  auto shape = at::infer_size(sizes(x), sizes(mask));
  auto g = at::zeros(shape, dy.options()).masked_scatter_(in(mask), dy);
  fresh(dx, unbroadcast(g, x));
}
ATEN_KERNEL(masked_select_grad, masked_select_grad, MaskedSelectGradKernel, kFloating);
void nonzero(const Ctx&, const DT& x, DT* y) { fresh(y, at::nonzero(in(x))); }
ATEN_KERNEL(nonzero, nonzero, NonZeroKernel, kAll);
void tril(const Ctx&, const DT& x, int diagonal, DT* y) { out(y, at::tril(in(x), diagonal)); }
ATEN_KERNEL(tril, tril, TrilKernel, kAll);
void triu(const Ctx&, const DT& x, int diagonal, DT* y) { out(y, at::triu(in(x), diagonal)); }
ATEN_KERNEL(triu, triu, TriuKernel, kAll);

void tril_grad(const Ctx&, const DT& dy, int diagonal, DT* dx) { fresh(dx, at::tril(in(dy), diagonal)); }
ATEN_KERNEL(tril_grad, tril_grad, TrilGradKernel, kFloating);
void triu_grad(const Ctx&, const DT& dy, int diagonal, DT* dx) { fresh(dx, at::triu(in(dy), diagonal)); }
ATEN_KERNEL(triu_grad, triu_grad, TriuGradKernel, kFloating);

// ---- assignment to a part: x[2:5, 0] = value ----

using Axes = std::vector<int64_t>;

// The part of y that is assigned to.
Tensor part(Tensor y, const IntArray& starts, const IntArray& ends, const IntArray& steps, const Axes& axes,
            Axes dropped, const Axes& added) {
  PADDLE_ENFORCE_EQ(added.empty(), true, common::errors::Unimplemented("assignment to x[None]"));
  for (size_t i = 0; i < axes.size(); ++i) {
    PADDLE_ENFORCE_GT(steps[i], 0, common::errors::Unimplemented("assignment with a negative step"));
    y = at::slice(y, axes[i], starts[i], ends[i], steps[i]);
  }
  std::sort(dropped.rbegin(), dropped.rend());
  for (auto axis : dropped) y = y.squeeze(axis);
  return y;
}
void set_tensor_value(const Ctx&, const DT& x, const DT& value, const IntArray& starts, const IntArray& ends,
                      const IntArray& steps, const Axes& axes, const Axes& dropped, const Axes& added, DT* y) {
  part(in_place(x, y), starts, ends, steps, axes, dropped, added).copy_(in(value));
}
ATEN_KERNEL(set_value_with_tensor, set_tensor_value, SetTensorValueKernel, kAll);
void set_value(const Ctx&, const DT& x, const IntArray& starts, const IntArray& ends, const IntArray& steps,
               const Axes& axes, const Axes& dropped, const Axes& added, const Axes& shape,
               const std::vector<Scalar>& values, DT* y) {
  auto target = part(in_place(x, y), starts, ends, steps, axes, dropped, added);
  if (values.size() == 1) return void(target.fill_(scalar(values[0])));
  auto host = at::empty(shape, at::TensorOptions().dtype(at::kDouble));
  for (size_t i = 0; i < values.size(); ++i) host.data_ptr<double>()[i] = values[i].to<double>();
  target.copy_(host);
}
ATEN_KERNEL(set_value, set_value, SetValueKernel, kAll);
void set_value_grad(const Ctx&, const DT& dy_, const IntArray& starts, const IntArray& ends, const IntArray& steps,
                    const Axes& axes, const Axes& dropped, const Axes& added, DT* dx, DT* dvalue) {
  Tensor gx = in(dy_).clone(), gv;
  auto taken = part(gx, starts, ends, steps, axes, dropped, added);
  if (dvalue) gv = unbroadcast(taken.clone(), *dvalue);
  if (dx) taken.zero_();
  fresh(dvalue, gv);
  if (dx) fresh(dx, gx);
}
ATEN_KERNEL(set_value_grad, set_value_grad, SetValueGradKernel, kFloating);
void set_value_with_scalar_grad(const Ctx& context, const DT& dy, const IntArray& starts, const IntArray& ends,
                                const IntArray& steps, const Axes& axes, const Axes& dropped, const Axes& added,
                                DT* dx) {
  set_value_grad(context, dy, starts, ends, steps, axes, dropped, added, dx, nullptr);
}
ATEN_KERNEL(set_value_with_scalar_grad, set_value_with_scalar_grad, SetValueWithScalarGradKernel, kFloating);

// ---- moves ----

void flip(const Ctx&, const DT& x, const std::vector<int>& axes, DT* y) {
  out(y, at::flip(in(x), std::vector<int64_t>(axes.begin(), axes.end())));
}
ATEN_KERNEL(flip, flip, FlipKernel, kAll);

Tensor rolled(const Tensor& x, const IntArray& shifts, const std::vector<int64_t>& axes, int sign) {
  auto by = shifts.GetData();
  for (auto& shift : by) shift *= sign;
  return at::roll(x, by, axes);
}
void roll(const Ctx&, const DT& x, const IntArray& shifts, const std::vector<int64_t>& axes, DT* y) {
  out(y, rolled(in(x), shifts, axes, 1));
}
ATEN_KERNEL(roll, roll, RollKernel, kAll);
void roll_grad(const Ctx&, const DT&, const DT& dy, const IntArray& shifts, const std::vector<int64_t>& axes, DT* dx) {
  fresh(dx, rolled(in(dy), shifts, axes, -1));
}
ATEN_KERNEL(roll_grad, roll_grad, RollGradKernel, kFloating);

}  // namespace
}  // namespace paddle_aten
