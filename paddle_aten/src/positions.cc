// x[index] and x[index] = value with tensors of positions, as Paddle's indexing lowers them: each element of the
// result is at slice_offset + (its place along the axes not indexed) + (sum of index * that axis's stride).
#include "bridge.h"
#include "paddle/phi/kernels/index_elementwise_get_grad_kernel.h"
#include "paddle/phi/kernels/index_elementwise_get_kernel.h"
#include "paddle/phi/kernels/index_elementwise_put_grad_kernel.h"
#include "paddle/phi/kernels/index_elementwise_put_kernel.h"

namespace paddle_aten {
namespace {

using Longs = std::vector<int64_t>;
using Indices = std::vector<const DT*>;

// Positions in x's memory, counted in elements, in the shape of the result. `dims` and `strides` (elements) are the
// result's, with stride 0 along indexed axes. index_dims has the sizes of these axes, -1, and the indices' common
// shape; index_strides are in bytes, as is the offset.
struct Places {
  Places(const DT& x_, const Indices& index, const Longs& dims, const Longs& strides, const Longs& index_dims,
         const Longs& index_strides, int64_t offset)
      : x(x_) {
    const int64_t bytes = phi::SizeOf(x.dtype());
    auto longs = at::TensorOptions().device(device()).dtype(at::kLong);
    auto end = std::find(index_dims.begin(), index_dims.end(), -1);
    Longs shape;
    if (end != index_dims.end()) shape.assign(end + 1, std::find(end + 1, index_dims.end(), -1));
    spots = at::full(dims, offset / bytes, longs);
    for (size_t i = 0; i < dims.size(); ++i) {
      if (strides[i] == 0) continue;
      Longs along(dims.size(), 1);
      along[i] = -1;
      spots = spots + at::arange(dims[i], longs).mul_(strides[i]).reshape(along);
    }
    for (size_t k = 0; k < index.size(); ++k) {
      auto i = in(*index[k]).to(at::kLong);
      if (!shape.empty()) i = i.reshape(shape);
      spots = spots + at::where(at::lt(i, 0), i + index_dims[k], i) * (index_strides[k] / bytes);
    }
  }
  // The memory of y, which is laid out as x is, as one vector.
  Tensor flat(const DT& y) const {
    int64_t extent = 1;
    auto shape = sizes(x), strides = sizes(x.strides());
    for (size_t i = 0; i < shape.size(); ++i) extent += (shape[i] - 1) * strides[i];
    auto opts = options(y.dtype());
    return at::for_blob(const_cast<void*>(y.data()), {extent}).options(opts).target_device(device()).make_tensor();
  }
  c10::List<std::optional<Tensor>> list() const {
    c10::List<std::optional<Tensor>> found;
    found.push_back(spots);
    return found;
  }

  const DT& x;
  Tensor spots;
};

void get(const Ctx&, const DT& x, const Indices& index, const Longs& dims, const Longs& strides,
         const Longs& index_dims, const Longs& index_strides, const int64_t offset, const bool, const bool, DT* y) {
  Places places(x, index, dims, strides, index_dims, index_strides, offset);
  fresh(y, at::index(places.flat(x), places.list()));
}
ATEN_KERNEL(index_elementwise_get, get, IndexElementwiseGetKernel, kAll);

void get_grad(const Ctx&, const DT& x, const Indices& index, const DT& dy_, const Longs& dims, const Longs& strides,
              const Longs& index_dims, const Longs& index_strides, const int64_t offset, const bool, const bool,
              DT* dx) {
  auto dy = in(dy_);
  fresh(dx, at::zeros(sizes(x), dy.options()));
  Places places(*dx, index, dims, strides, index_dims, index_strides, offset);
  places.flat(*dx).index_put_(places.list(), dy.reshape(places.spots.sizes()), true);
}
ATEN_KERNEL(index_elementwise_get_grad, get_grad, IndexElementwiseGetGradKernel, kFloating);

void put(const Ctx&, const DT& x, const Indices& index, const phi::Scalar& value, const Longs& dims,
         const Longs& strides, const Longs& index_dims, const Longs& index_strides, const int64_t offset, DT* y) {
  auto target = in_place(x, y);
  Places places(*y, index, dims, strides, index_dims, index_strides, offset);
  places.flat(*y).index_put_(places.list(), at::full({}, scalar(value), target.options()));
}
ATEN_KERNEL(index_elementwise_put, put, IndexElementwisePutKernel, kAll);

void put_grad(const Ctx&, const DT&, const Indices& index, const DT& dy, const Longs& dims, const Longs& strides,
              const Longs& index_dims, const Longs& index_strides, const int64_t offset, DT* dx) {
  fresh(dx, in(dy).clone(at::MemoryFormat::Contiguous));
  Places places(*dx, index, dims, strides, index_dims, index_strides, offset);
  places.flat(*dx).index_put_(places.list(), at::zeros({}, options(dx->dtype())));
}
ATEN_KERNEL(index_elementwise_put_grad, put_grad, IndexElementwisePutGradKernel, kFloating);

// The same with a tensor of values; Paddle installs no header for these.
void put_tensor(const Ctx&, const DT& x, const Indices& index, const DT& value, const Longs& dims,
                const Longs& strides, const Longs& index_dims, const Longs& index_strides, const int64_t offset,
                DT* y) {
  auto given = in(value).clone();
  in_place(x, y);
  Places places(*y, index, dims, strides, index_dims, index_strides, offset);
  places.flat(*y).index_put_(places.list(), given);
}
const Register<&put_tensor> register_put_tensor("index_elementwise_put_with_tensor", kAll);

void put_tensor_grad(const Ctx&, const DT&, const Indices& index, const DT& value, const DT& dy, const Longs& dims,
                     const Longs& strides, const Longs& index_dims, const Longs& index_strides, const int64_t offset,
                     DT* dx, DT* dvalue) {
  DT whole;
  whole.set_meta(dy.meta());
  fresh(&whole, in(dy).clone(at::MemoryFormat::Contiguous));
  Places places(whole, index, dims, strides, index_dims, index_strides, offset);
  if (dvalue) fresh(dvalue, unbroadcast(at::index(places.flat(whole), places.list()), value));
  if (!dx) return;
  places.flat(whole).index_put_(places.list(), at::zeros({}, options(dy.dtype())));
  fresh(dx, in(whole));
}
const Register<&put_tensor_grad> register_put_tensor_grad("index_elementwise_put_with_tensor_grad", kFloating);

}  // namespace
}  // namespace paddle_aten
