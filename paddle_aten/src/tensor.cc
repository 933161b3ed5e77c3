// Creation, copies, shapes, reductions and matrix products.
#include "bridge.h"
#include "paddle/phi/kernels/add_n_kernel.h"
#include "paddle/phi/kernels/addmm_grad_kernel.h"
#include "paddle/phi/kernels/addmm_kernel.h"
#include "paddle/phi/kernels/arange_kernel.h"
#include "paddle/phi/kernels/assign_kernel.h"
#include "paddle/phi/kernels/bmm_grad_kernel.h"
#include "paddle/phi/kernels/bmm_kernel.h"
#include "paddle/phi/kernels/concat_grad_kernel.h"
#include "paddle/phi/kernels/concat_kernel.h"
#include "paddle/phi/kernels/contiguous_kernel.h"
#include "paddle/phi/kernels/cum_grad_kernel.h"
#include "paddle/phi/kernels/cum_kernel.h"
#include "paddle/phi/kernels/dot_grad_kernel.h"
#include "paddle/phi/kernels/dot_kernel.h"
#include "paddle/phi/kernels/cumprod_grad_kernel.h"
#include "paddle/phi/kernels/cumprod_kernel.h"
#include "paddle/phi/kernels/expand_as_grad_kernel.h"
#include "paddle/phi/kernels/expand_as_kernel.h"
#include "paddle/phi/kernels/expand_grad_kernel.h"
#include "paddle/phi/kernels/expand_kernel.h"
#include "paddle/phi/kernels/eye_kernel.h"
#include "paddle/phi/kernels/fill_kernel.h"
#include "paddle/phi/kernels/frobenius_norm_grad_kernel.h"
#include "paddle/phi/kernels/frobenius_norm_kernel.h"
#include "paddle/phi/kernels/full_kernel.h"
#include "paddle/phi/kernels/increment_kernel.h"
#include "paddle/phi/kernels/linspace_kernel.h"
#include "paddle/phi/kernels/logsumexp_grad_kernel.h"
#include "paddle/phi/kernels/logsumexp_kernel.h"
#include "paddle/phi/kernels/matmul_grad_kernel.h"
#include "paddle/phi/kernels/matmul_kernel.h"
#include "paddle/phi/kernels/mean_all_grad_kernel.h"
#include "paddle/phi/kernels/mean_all_kernel.h"
#include "paddle/phi/kernels/p_norm_grad_kernel.h"
#include "paddle/phi/kernels/p_norm_kernel.h"
#include "paddle/phi/kernels/meshgrid_grad_kernel.h"
#include "paddle/phi/kernels/meshgrid_kernel.h"
#include "paddle/phi/kernels/prod_grad_kernel.h"
#include "paddle/phi/kernels/prod_kernel.h"
#include "paddle/phi/kernels/reduce_max_grad_kernel.h"
#include "paddle/phi/kernels/reduce_max_kernel.h"
#include "paddle/phi/kernels/reduce_mean_grad_kernel.h"
#include "paddle/phi/kernels/reduce_mean_kernel.h"
#include "paddle/phi/kernels/reduce_min_grad_kernel.h"
#include "paddle/phi/kernels/reduce_min_kernel.h"
#include "paddle/phi/kernels/reduce_sum_grad_kernel.h"
#include "paddle/phi/kernels/reduce_sum_kernel.h"
#include "paddle/phi/kernels/split_kernel.h"
#include "paddle/phi/kernels/squared_l2_norm_grad_kernel.h"
#include "paddle/phi/kernels/squared_l2_norm_kernel.h"
#include "paddle/phi/kernels/stack_grad_kernel.h"
#include "paddle/phi/kernels/stack_kernel.h"
#include "paddle/phi/kernels/strided_copy_kernel.h"
#include "paddle/phi/kernels/tile_grad_kernel.h"
#include "paddle/phi/kernels/tile_kernel.h"
#include "paddle/phi/kernels/unstack_grad_kernel.h"
#include "paddle/phi/kernels/unstack_kernel.h"

namespace paddle_aten {
namespace {

using phi::DataType;
using phi::IntArray;
using phi::Scalar;

// ---- creation ----

void full(const Ctx&, const IntArray& shape, const Scalar& value, DataType dtype, DT* y) {
  out(y, at::full(shape.GetData(), scalar(value), options(dtype)));
}
ATEN_KERNEL(full, full, FullKernel, kAll);

void full_like(const Ctx&, const DT& x, const Scalar& value, DataType, DT* y) {
  out(y, at::full(sizes(x), scalar(value), options(y->dtype())));
}
ATEN_KERNEL(full_like, full_like, FullLikeKernel, kAll);

void fill(const Ctx&, const DT& x, const Scalar& value, DT* y) {
  if (y->initialized())
    write(*y, at::full({}, scalar(value), options(y->dtype())));
  else
    fresh(y, at::full(sizes(x), scalar(value), options(y->dtype())));
}
ATEN_KERNEL(fill, fill, FillKernel, kAll);

// The three arguments may be on the CPU.
void on_any_device(const phi::KernelKey&, phi::Kernel* kernel) {
  for (int i = 0; i < 3; ++i) kernel->InputAt(i).SetBackend(phi::Backend::ALL_BACKEND);
}
// A length known only here, so that the numbers are made on the host's word.
void arange(const Ctx&, const Scalar& start, const Scalar& end, const Scalar& step, DT* y) {
  fresh(y, at::arange(scalar(start), scalar(end), scalar(step), options(y->dtype())));
}
ATEN_KERNEL(arange, arange, ArangeKernel, kNumeric);
void arange_tensor(const Ctx&, const DT& start, const DT& end, const DT& step, DT* y) {
  auto number = [](const DT& t) { return paddle_aten::in(t).cpu().item(); };
  fresh(y, at::arange(number(start), number(end), number(step), options(y->dtype())));
}
ATEN_KERNEL(arange_tensor, arange_tensor, ArangeTensorKernel, kNumeric, on_any_device);
void linspace(const Ctx&, const DT& start, const DT& end, const DT& number, DataType dtype, DT* y) {
  auto n = paddle_aten::in(number).cpu().item<int64_t>();
  fresh(y, at::linspace(paddle_aten::in(start).cpu().item(), paddle_aten::in(end).cpu().item(), n, options(dtype)));
}
ATEN_KERNEL(linspace, linspace, LinspaceKernel, kNumeric, on_any_device);
void eye(const Ctx&, const Scalar& rows, const Scalar& columns, DataType dtype, DT* y) {
  auto n = rows.to<int64_t>(), m = columns.to<int64_t>();
  out(y, at::eye(n, m < 0 ? n : m, options(dtype)));
}
ATEN_KERNEL(eye, eye, EyeKernel, kAll);
void assign_value(const Ctx&, const std::vector<int>& shape, DataType dtype, const std::vector<Scalar>& values, DT* y) {
  auto host = at::empty(std::vector<int64_t>(shape.begin(), shape.end()), at::TensorOptions().dtype(at::kDouble));
  for (size_t i = 0; i < values.size(); ++i) host.data_ptr<double>()[i] = values[i].to<double>();
  out(y, host.to(device(), to_aten(dtype)));
}
ATEN_KERNEL(assign_value, assign_value, AssignValueKernel, kAll);

// ---- copies ----

void increment(const Ctx&, const DT& x, float value, DT* y) { out(y, in(x) + value); }
ATEN_KERNEL(increment, increment, IncrementKernel, kNumeric);

void assign(const Ctx&, const DT& x, DT* y) {
  out(y, in(x));
}
ATEN_KERNEL_C(assign, assign, AssignKernel, kAll);

void contiguous(const Ctx&, const DT& x, DT* y) {
  fresh(y, in(x));
}
ATEN_KERNEL(contiguous, contiguous, ContiguousKernel, kAll);

void strided_copy(const Ctx&, const DT& x, const std::vector<int64_t>& dims, const std::vector<int64_t>& strides, int64_t offset, DT* y) {
  auto meta = y->meta();
  meta.dims = common::make_ddim(dims);
  meta.strides = common::make_ddim(strides);
  meta.offset = offset;
  y->set_meta(meta);
  write(*y, in(x));
}
ATEN_KERNEL(strided_copy, strided_copy, StridedCopyKernel, kAll);

// ---- shapes ----

std::vector<Tensor> in(const std::vector<const DT*>& xs) {
  std::vector<Tensor> views;
  for (auto* x : xs) views.push_back(paddle_aten::in(*x));
  return views;
}
using paddle_aten::in;

void concat(const Ctx&, const std::vector<const DT*>& xs, const Scalar& axis, DT* y) {
  out(y, at::cat(in(xs), axis.to<int64_t>()));
}
ATEN_KERNEL(concat, concat, ConcatKernel, kAll);
void concat_grad(const Ctx&, const std::vector<const DT*>& xs, const DT& dy_, const Scalar& axis, std::vector<DT*> dxs) {
  auto dy = in(dy_);
  int64_t dim = axis.to<int64_t>(), start = 0;
  if (dim < 0) dim += dy.dim();
  for (size_t i = 0; i < xs.size(); ++i) {
    auto n = xs[i]->dims()[dim];
    if (dxs[i]) fresh(dxs[i], dy.narrow(dim, start, n));
    start += n;
  }
}
ATEN_KERNEL(concat_grad, concat_grad, ConcatGradKernel, kFloating);

void stack(const Ctx&, const std::vector<const DT*>& xs, int axis, DT* y) {
  out(y, at::stack(in(xs), axis));
}
ATEN_KERNEL(stack, stack, StackKernel, kAll);

void stack_grad(const Ctx&, const DT& dy, int axis, std::vector<DT*> dxs) {
  auto parts = in(dy).unbind(axis);
  for (size_t i = 0; i < dxs.size(); ++i)
    if (dxs[i]) fresh(dxs[i], parts[i]);
}
ATEN_KERNEL(stack_grad, stack_grad, StackGradKernel, kFloating);

void unstack(const Ctx&, const DT& x, int axis, int, std::vector<DT*> ys) {
  auto parts = in(x).unbind(axis);
  for (size_t i = 0; i < ys.size(); ++i) out(ys[i], parts[i]);
}
ATEN_KERNEL(unstack, unstack, UnStackKernel, kAll);
void unstack_grad(const Ctx&, const std::vector<const DT*>& dys, int axis, DT* dx) {
  fresh(dx, at::stack(in(dys), axis));
}
ATEN_KERNEL(unstack_grad, unstack_grad, UnStackGradKernel, kFloating);

void meshgrid(const Ctx&, const std::vector<const DT*>& xs, std::vector<DT*> ys) {
  auto grids = at::meshgrid(in(xs), "ij");
  for (size_t i = 0; i < ys.size(); ++i) out(ys[i], grids[i]);
}
ATEN_KERNEL(meshgrid, meshgrid, MeshgridKernel, kAll);
void meshgrid_grad(const Ctx&, const std::vector<const DT*>& xs, const std::vector<const DT*>& dys,
                   std::vector<DT*> dxs) {
  for (size_t i = 0; i < dxs.size(); ++i) {
    std::vector<int64_t> others;
    for (size_t j = 0; j < xs.size(); ++j)
      if (j != i) others.push_back(j);
    if (dxs[i]) fresh(dxs[i], at::sum(in(*dys[i]), others).reshape(sizes(*xs[i])));
  }
}
ATEN_KERNEL(meshgrid_grad, meshgrid_grad, MeshgridGradKernel, kFloating);

// Parts are views, as Paddle's own kernels make them.
void split(const Ctx&, const DT& x, const IntArray&, const Scalar& axis, std::vector<DT*> ys) {
  auto whole = in(x);
  int64_t dim = axis.to<int64_t>(), start = 0;
  if (dim < 0) dim += whole.dim();
  for (auto* y : ys) {
    auto n = y->dims()[dim];
    phi::DenseTensorMeta meta = x.meta();
    meta.dims = y->dims();
    meta.offset += start * whole.stride(dim) * whole.itemsize();
    y->set_meta(meta);
    y->ResetHolder(x.Holder());
    y->ShareInplaceVersionCounterWith(x);
    start += n;
  }
}
ATEN_KERNEL(split, split, SplitKernel, kAll);
void split_with_num(const Ctx& context, const DT& x, int, const Scalar& axis, std::vector<DT*> ys) {
  split(context, x, {}, axis, ys);
}
ATEN_KERNEL(split_with_num, split_with_num, SplitWithNumKernel, kAll);

void expand(const Ctx&, const DT& x, const IntArray&, DT* y) {
  out(y, in(x).expand(sizes(*y)));
}
ATEN_KERNEL(expand, expand, ExpandKernel, kAll);
void expand_grad(const Ctx&, const DT& x, const DT& dy, const IntArray&, DT* dx) {
  fresh(dx, unbroadcast(in(dy), x));
}
ATEN_KERNEL(expand_grad, expand_grad, ExpandGradKernel, kFloating);

void expand_as(const Ctx&, const DT& x, const OptDT&, const std::vector<int64_t>&, DT* y) {
  out(y, in(x).expand(sizes(*y)));
}
ATEN_KERNEL(expand_as, expand_as, ExpandAsKernel, kAll);
void expand_as_grad(const Ctx&, const DT& x, const DT& dy, const std::vector<int64_t>&, DT* dx) {
  fresh(dx, unbroadcast(in(dy), x));
}
ATEN_KERNEL(expand_as_grad, expand_as_grad, ExpandAsGradKernel, kFloating);

void tile(const Ctx&, const DT& x, const IntArray& repeats, DT* y) {
  out(y, at::tile(in(x), repeats.GetData()));
}
ATEN_KERNEL(tile, tile, TileKernel, kAll);

void tile_grad(const Ctx&, const DT& x, const DT& dy, const IntArray& repeats_, DT* dx) {
  auto shape = sizes(x), repeats = repeats_.GetData();
  while (shape.size() < repeats.size()) shape.insert(shape.begin(), 1);
  while (repeats.size() < shape.size()) repeats.insert(repeats.begin(), 1);
  std::vector<int64_t> split, summed;
  for (size_t i = 0; i < shape.size(); ++i) {
    summed.push_back(split.size());
    split.insert(split.end(), {repeats[i], shape[i]});
  }
  fresh(dx, at::sum(in(dy).reshape(split), summed).reshape(sizes(x)));
}
ATEN_KERNEL(tile_grad, tile_grad, TileGradKernel, kFloating);

// ---- reductions ----

// The axes of a reduction of x: an empty list means all.
std::vector<int64_t> axes(const DT& x, const IntArray& dims, bool all = false) {
  auto list = dims.GetData();
  if (all || list.empty()) {
    list.resize(x.dims().size());
    for (size_t i = 0; i < list.size(); ++i) list[i] = i;
  }
  return list;
}

void sum(const Ctx&, const DT& x, const IntArray& dims, DataType, bool keep, DT* y) {
  auto list = axes(x, dims);
  std::vector<int64_t> all_but_last(std::max(x.dims().size() - 1, 0));
  std::iota(all_but_last.begin(), all_but_last.end(), 0);
  bool channels = !keep && list.size() > 1 && list == all_but_last;
  auto dtype = to_aten(y->dtype());
  out(y, channels ? sum_but_last(in(x), dtype) : at::sum(in(x), list, keep, dtype));
}
ATEN_KERNEL(sum, sum, SumKernel, kAll);
void mean(const Ctx&, const DT& x, const IntArray& dims, bool keep, DT* y) {
  out(y, at::mean(in(x), axes(x, dims), keep));
}
ATEN_KERNEL(mean, mean, MeanKernel, kFloating);
void max(const Ctx&, const DT& x, const IntArray& dims, bool keep, DT* y) {
  out(y, at::amax(in(x), axes(x, dims), keep));
}
ATEN_KERNEL(max, max, MaxKernel, kNumeric);

void min(const Ctx&, const DT& x, const IntArray& dims, bool keep, DT* y) {
  out(y, at::amin(in(x), axes(x, dims), keep));
}
ATEN_KERNEL(min, min, MinKernel, kNumeric);

// dy spread over x's shape.
Tensor spread(const DT& x, const Tensor& dy, const IntArray& dims, bool all) {
  auto shape = sizes(x);
  auto kept = shape;
  for (auto axis : axes(x, dims, all)) kept[axis < 0 ? axis + shape.size() : axis] = 1;
  return dy.reshape(kept).expand(shape);
}
void sum_grad(const Ctx&, const DT& x, const DT& dy, const IntArray& dims, bool, bool all, DT* dx) {
  fresh(dx, spread(x, in(dy), dims, all));
}
ATEN_KERNEL(sum_grad, sum_grad, ReduceSumGradKernel, kFloating);
void mean_grad(const Ctx&, const DT& x, const DT& dy_, const IntArray& dims, bool, bool all, DT* dx) {
  auto dy = in(dy_);
  fresh(dx, spread(x, dy * (static_cast<double>(dy.numel()) / x.numel()), dims, all));
}
ATEN_KERNEL(mean_grad, mean_grad, ReduceMeanGradKernel, kFloating);

// Several largest (smallest) elements share the gradient, as in Paddle.
void extreme_grad(const Ctx&, const DT& x, const DT& y, const DT& dy, const IntArray& dims, bool, bool all, DT* dx) {
  auto chosen = at::eq(in(x), spread(x, in(y), dims, all));
  fresh(dx, spread(x, in(dy), dims, all) * chosen / at::sum(chosen, axes(x, dims, all), true));
}
ATEN_KERNEL(max_grad, extreme_grad, ReduceMaxGradKernel, kFloating);
ATEN_KERNEL(min_grad, extreme_grad, ReduceMinGradKernel, kFloating);

void prod(const Ctx&, const DT& x_, const IntArray& dims, bool keep, bool all, DT* y) {
  auto x = in(x_);
  auto list = axes(x_, dims, all);
  for (auto& axis : list)
    if (axis < 0) axis += x.dim();
  std::sort(list.rbegin(), list.rend());
  for (auto axis : list) x = at::prod(x, axis, keep);
  out(y, x.reshape(sizes(*y)));
}
ATEN_KERNEL(prod, prod, ProdKernel, kNumeric);
void prod_grad(const Ctx&, const DT& x, const DT& y, const DT& dy, const IntArray& dims, bool, bool all, DT* dx) {
  fresh(dx, spread(x, in(dy) * in(y), dims, all) / in(x));
}
ATEN_KERNEL(prod_grad, prod_grad, ProdGradKernel, kFloating);

void logsumexp(const Ctx&, const DT& x, const std::vector<int>& dims, bool keep, bool all, DT* y) {
  out(y, at::logsumexp(in(x), axes(x, dims, all), keep));
}
ATEN_KERNEL(logsumexp, logsumexp, LogsumexpKernel, kFloating);
void logsumexp_grad(const Ctx&, const DT& x, const DT& y, const DT& dy, const std::vector<int>& dims, bool, bool all,
                    DT* dx) {
  fresh(dx, spread(x, in(dy), dims, all) * at::exp(in(x) - spread(x, in(y), dims, all)));
}
ATEN_KERNEL(logsumexp_grad, logsumexp_grad, LogsumexpGradKernel, kFloating);

// ---- norms ----

// The axis of a p-norm; with asvector, x is one vector.
Tensor as_vector(const Tensor& x, bool asvector) { return asvector ? x.reshape({-1}) : x; }
void p_norm(const Ctx&, const DT& x, float p, int axis, float, bool keep, bool asvector, DT* y) {
  auto value = at::linalg_vector_norm(as_vector(in(x), asvector), p, std::vector<int64_t>{asvector ? 0 : axis}, keep);
  out(y, value.reshape(sizes(*y)));
}
ATEN_KERNEL(p_norm, p_norm, PNormKernel, kFloating);
void p_norm_grad(const Ctx&, const DT& x_, const DT& y_, const DT& dy_, float p, int axis, float epsilon, bool,
                 bool asvector, DT* dx) {
  auto x = as_vector(in(x_), asvector), y = in(y_), dy = in(dy_);
  auto kept = x.sizes().vec();
  kept[asvector ? 0 : axis < 0 ? axis + x.dim() : axis] = 1;
  y = y.reshape(kept), dy = dy.reshape(kept);
  Tensor g;
  if (p == 0)
    g = at::zeros_like(x);
  else if (std::isinf(p))
    g = x.sgn() * at::eq(x.abs(), y) * dy;
  else
    g = x.sgn() * x.abs().pow(p - 1) * dy / (y.pow(p - 1) + epsilon);
  fresh(dx, g.reshape(sizes(x_)));
}
ATEN_KERNEL(p_norm_grad, p_norm_grad, PNormGradKernel, kFloating);

void frobenius_norm(const Ctx&, const DT& x, const IntArray& dims, bool keep, bool all, DT* y) {
  out(y, at::sqrt(at::sum(in(x).square(), axes(x, dims, all), keep)));
}
ATEN_KERNEL(frobenius_norm, frobenius_norm, FrobeniusNormKernel, kFloating);
void frobenius_norm_grad(const Ctx&, const DT& x, const DT& y, const DT& dy, const IntArray& dims, bool, bool all,
                         DT* dx) {
  fresh(dx, in(x) * spread(x, in(dy) / in(y), dims, all));
}
ATEN_KERNEL(frobenius_norm_grad, frobenius_norm_grad, FrobeniusNormGradKernel, kFloating);

// ---- sums and products along an axis ----

void cumprod(const Ctx&, const DT& x, int axis, bool exclusive, bool reverse, DT* y) {
  PADDLE_ENFORCE_EQ(exclusive || reverse, false, common::errors::Unimplemented("cumprod, exclusive or reverse"));
  out(y, at::cumprod(in(x), axis));
}
ATEN_KERNEL(cumprod, cumprod, CumprodKernel, kNumeric);
void cumprod_grad(const Ctx&, const DT& x, const DT& y, const DT& dy, int axis, bool, bool, DT* dx) {
  fresh(dx, at::cumprod_backward(in(dy), in(x), axis, in(y)));
}
ATEN_KERNEL(cumprod_grad, cumprod_grad, CumprodGradKernel, kFloating);

Tensor running_sum(const Tensor& x, int64_t axis, bool exclusive, bool reverse) {
  auto y = reverse ? at::flip(at::cumsum(at::flip(x, {axis}), axis), {axis}) : at::cumsum(x, axis);
  return exclusive ? y - x : y;
}
void cumsum(const Ctx&, const DT& x_, const Scalar& axis, bool flatten, bool exclusive, bool reverse, DT* y) {
  auto x = in(x_);
  out(y, running_sum(flatten ? x.reshape({-1}) : x, flatten ? 0 : axis.to<int64_t>(), exclusive, reverse));
}
ATEN_KERNEL(cumsum, cumsum, CumsumKernel, kNumeric);
void cumsum_grad(const Ctx&, const DT& x, const DT& dy_, const Scalar& axis, bool flatten, bool exclusive,
                 bool reverse, DT* dx) {
  auto dy = in(dy_);
  auto g = running_sum(flatten ? dy.reshape({-1}) : dy, flatten ? 0 : axis.to<int64_t>(), exclusive, !reverse);
  fresh(dx, g.reshape(sizes(x)));
}
ATEN_KERNEL(cumsum_grad, cumsum_grad, CumsumGradKernel, kFloating);

void mean_all(const Ctx&, const DT& x, DT* y) {
  out(y, at::mean(in(x)));
}
ATEN_KERNEL(mean_all, mean_all, MeanAllKernel, kFloating);
void mean_all_grad(const Ctx&, const DT& x, const DT& dy, DT* dx) {
  fresh(dx, (in(dy) / x.numel()).expand(sizes(x)));
}
ATEN_KERNEL(mean_all_grad, mean_all_grad, MeanAllGradKernel, kFloating);

void squared_l2_norm(const Ctx&, const DT& x_, DT* y) {
  auto x = in(x_).reshape({-1});
  out(y, at::dot(x, x).reshape({1}));
}
ATEN_KERNEL(squared_l2_norm, squared_l2_norm, SquaredL2NormKernel, kFloating);
void squared_l2_norm_grad(const Ctx&, const DT& x, const DT& dy, DT* dx) { fresh(dx, in(x) * in(dy) * 2); }
ATEN_KERNEL(squared_l2_norm_grad, squared_l2_norm_grad, SquaredL2NormGradKernel, kFloating);

void add_n(const Ctx&, const std::vector<const phi::TensorBase*>& xs, DT* y) {
  Tensor total;
  for (auto* x : xs) {
    auto value = in(*static_cast<const DT*>(x));
    total = total.defined() ? total + value : value;
  }
  out(y, total);
}
ATEN_KERNEL(add_n, add_n, AddNKernel, kNumeric);

// ---- matrix products ----

void bmm(const Ctx&, const DT& x, const DT& y, DT* z) { out(z, at::bmm(in(x), in(y))); }
ATEN_KERNEL(bmm, bmm, BmmKernel, kFloating);
void bmm_grad(const Ctx&, const DT& x, const DT& y, const DT& dz, DT* dx, DT* dy) {
  Tensor gx, gy;
  if (dx) gx = at::bmm(in(dz), in(y).transpose(1, 2));
  if (dy) gy = at::bmm(in(x).transpose(1, 2), in(dz));
  fresh(dx, gx);
  fresh(dy, gy);
}
ATEN_KERNEL(bmm_grad, bmm_grad, BmmGradKernel, kFloating);
void addmm(const Ctx&, const DT& z, const DT& x, const DT& y, float beta, float alpha, DT* sum) {
  out(sum, at::addmm(in(z), in(x), in(y), beta, alpha));
}
ATEN_KERNEL(addmm, addmm, AddmmKernel, kFloating);
void addmm_grad(const Ctx&, const DT& z, const DT& x, const DT& y, const DT& dsum_, float alpha, float beta, DT* dz,
                DT* dx, DT* dy) {
  auto dsum = in(dsum_);
  Tensor gz, gx, gy;
  if (dz) gz = unbroadcast(dsum * beta, z);
  if (dx) gx = at::matmul(dsum, in(y).t()).mul_(alpha);
  if (dy) gy = at::matmul(in(x).t(), dsum).mul_(alpha);
  fresh(dz, gz);
  fresh(dx, gx);
  fresh(dy, gy);
}
ATEN_KERNEL(addmm_grad, addmm_grad, AddmmGradKernel, kFloating);
void dot(const Ctx&, const DT& x, const DT& y, DT* z) { out(z, at::sum(in(x) * in(y), -1).reshape(sizes(*z))); }
ATEN_KERNEL(dot, dot, DotKernel, kNumeric);
void dot_grad(const Ctx&, const DT& x, const DT& y, const DT& dz_, DT* dx, DT* dy) {
  auto dz = in(dz_);
  if (x.dims().size() > 1) dz = dz.unsqueeze(-1);
  Tensor gx, gy;
  if (dx) gx = dz * in(y);
  if (dy) gy = dz * in(x);
  fresh(dx, gx);
  fresh(dy, gy);
}
ATEN_KERNEL(dot_grad, dot_grad, DotGradKernel, kFloating);

// The operands of a product as matrices (with batch axes in front).
struct Product {
  Product(const DT& x, const DT& y, bool transpose_x, bool transpose_y)
      : vector_x(x.dims().size() == 1), vector_y(y.dims().size() == 1),
        transpose_x(transpose_x && !vector_x), transpose_y(transpose_y && !vector_y) {}

  // A tensor with x's (y's) shape as the left (right) matrix.
  Tensor left(const Tensor& x) const {
    return vector_x ? x.unsqueeze(0) : transpose_x ? x.transpose(-1, -2) : x;
  }
  Tensor right(const Tensor& y) const {
    return vector_y ? y.unsqueeze(-1) : transpose_y ? y.transpose(-1, -2) : y;
  }
  // A tensor with the output's shape as a matrix, and back.
  Tensor result(Tensor z) const {
    if (vector_y) z = z.unsqueeze(-1);
    if (vector_x) z = z.unsqueeze(-2);
    return z;
  }
  // d(left @ right): gradients in the shapes of x and y.
  Tensor grad_x(const Tensor& dz, const Tensor& right_, const DT& x) const {
    if (!vector_x && transpose_x)
      return unbroadcast(at::matmul(right_, result(dz).transpose(-1, -2)), x);
    return reduce(at::matmul(result(dz), right_.transpose(-1, -2)), vector_x, -2, x);
  }
  Tensor grad_y(const Tensor& dz, const Tensor& left_, const DT& y) const {
    if (!vector_y && transpose_y)
      return unbroadcast(at::matmul(result(dz).transpose(-1, -2), left_), y);
    return reduce(at::matmul(left_.transpose(-1, -2), result(dz)), vector_y, -1, y);
  }

  bool vector_x, vector_y, transpose_x, transpose_y;

 private:
  static Tensor reduce(Tensor g, bool vector, int64_t axis, const DT& like) {
    return unbroadcast(vector ? g.squeeze(axis) : g, like);
  }
};

void matmul(const Ctx&, const DT& x, const DT& y, bool tx, bool ty, DT* z) {
  auto a = in(x), b = in(y);
  if (tx && a.dim() > 1) a = a.transpose(-1, -2);
  if (ty && b.dim() > 1) b = b.transpose(-1, -2);
  out(z, at::matmul(a, b));
}
ATEN_KERNEL(matmul, matmul, MatmulKernel, kFloating);

void matmul_grad(const Ctx&, const DT& x, const DT& y, const DT& dz_, bool tx, bool ty, DT* dx, DT* dy) {
  Product p(x, y, tx, ty);
  auto dz = in(dz_);
  Tensor gx, gy;
  if (dx) gx = p.grad_x(dz, p.right(in(y)), x);
  if (dy) gy = p.grad_y(dz, p.left(in(x)), y);
  fresh(dx, gx);
  fresh(dy, gy);
}
ATEN_KERNEL(matmul_grad, matmul_grad, MatmulGradKernel, kFloating);

void matmul_double_grad(const Ctx&, const DT& x, const DT& y, const DT& dz_, const OptDT& ddx_, const OptDT& ddy_, bool tx, bool ty, DT* dx, DT* dy, DT* ddz) {
  Product p(x, y, tx, ty);
  auto dz = in(dz_);
  auto ddx = in(ddx_), ddy = in(ddy_);
  Tensor gx, gy, gz;
  if (dx) gx = ddy ? p.grad_x(dz, p.right(*ddy), x) : at::zeros(sizes(x), dz.options());
  if (dy) gy = ddx ? p.grad_y(dz, p.left(*ddx), y) : at::zeros(sizes(y), dz.options());
  if (ddz) {
    if (ddx) gz = at::matmul(p.left(*ddx), p.right(in(y)));
    if (ddy) {
      auto other = at::matmul(p.left(in(x)), p.right(*ddy));
      gz = gz.defined() ? gz.add_(other) : other;
    }
    gz = gz.defined() ? gz.reshape(dz.sizes()) : at::zeros_like(dz);
  }
  fresh(dx, gx);
  fresh(dy, gy);
  fresh(ddz, gz);
}
ATEN_KERNEL(matmul_double_grad, matmul_double_grad, MatmulDoubleGradKernel, kFloating);

}  // namespace
}  // namespace paddle_aten
