// Truth values: logical operators, all and any, finiteness, equality.
#include "bridge.h"
#include "paddle/phi/kernels/allclose_kernel.h"
#include "paddle/phi/kernels/bitwise_kernel.h"
#include "paddle/phi/kernels/compare_kernel.h"
#include "paddle/phi/kernels/isclose_kernel.h"
#include "paddle/phi/kernels/isfinite_kernel.h"
#include "paddle/phi/kernels/logical_kernel.h"
#include "paddle/phi/kernels/reduce_all_kernel.h"
#include "paddle/phi/kernels/reduce_any_kernel.h"

namespace paddle_aten {
namespace {

#define BINARY(name, Ref, expr)                                   \
  void name(const Ctx&, const DT& x_, const DT& y_, DT* z) {      \
    auto x = in(x_), y = in(y_);                                  \
    out(z, expr);                                                 \
  }                                                               \
  ATEN_KERNEL(name, name, Ref, kAll);
BINARY(equal, EqualKernel, at::eq(x, y))
BINARY(not_equal, NotEqualKernel, at::ne(x, y))
BINARY(less_than, LessThanKernel, at::lt(x, y))
BINARY(less_equal, LessEqualKernel, at::le(x, y))
BINARY(greater_than, GreaterThanKernel, at::gt(x, y))
BINARY(greater_equal, GreaterEqualKernel, at::ge(x, y))
BINARY(logical_and, LogicalAndKernel, at::logical_and(x, y))
BINARY(logical_or, LogicalOrKernel, at::logical_or(x, y))
BINARY(logical_xor, LogicalXorKernel, at::logical_xor(x, y))
BINARY(bitwise_and, BitwiseAndKernel, at::bitwise_and(x, y))
BINARY(bitwise_or, BitwiseOrKernel, at::bitwise_or(x, y))
BINARY(bitwise_xor, BitwiseXorKernel, at::bitwise_xor(x, y))
void equal_all(const Ctx&, const DT& x, const DT& y, DT* z) {
  z->set_type(phi::DataType::BOOL);
  out(z, at::all(at::eq(in(x), in(y))));
}
ATEN_KERNEL(equal_all, equal_all, EqualAllKernel, kAll);

#define UNARY(name, Ref, op)                                       \
  void name(const Ctx&, const DT& x, DT* y) { out(y, at::op(in(x))); } \
  ATEN_KERNEL(name, name, Ref, kAll);
UNARY(logical_not, LogicalNotKernel, logical_not)
UNARY(bitwise_not, BitwiseNotKernel, bitwise_not)
UNARY(isnan, IsnanKernel, isnan)
UNARY(isinf, IsinfKernel, isinf)
UNARY(isfinite, IsfiniteKernel, isfinite)

#define REDUCTION(name, Ref, op)                                                                 \
  void name(const Ctx&, const DT& x_, const std::vector<int64_t>& axes, bool keep, DT* y) {      \
    auto x = in(x_);                                                                             \
    out(y, axes.empty() ? at::op(x).reshape(sizes(*y)) : at::op(x, axes, keep));                 \
  }                                                                                              \
  ATEN_KERNEL(name, name, Ref, kAll);
REDUCTION(all, AllKernel, all)
REDUCTION(any, AnyKernel, any)

void isclose(const Ctx&, const DT& x, const DT& y, const phi::Scalar& rtol, const phi::Scalar& atol, bool nan, DT* z) {
  out(z, at::isclose(in(x), in(y), rtol.to<double>(), atol.to<double>(), nan));
}
ATEN_KERNEL(isclose, isclose, IscloseKernel, kNumeric);
void allclose(const Ctx&, const DT& x, const DT& y, const phi::Scalar& rtol, const phi::Scalar& atol, bool nan, DT* z) {
  out(z, at::all(at::isclose(in(x), in(y), rtol.to<double>(), atol.to<double>(), nan)));
}
ATEN_KERNEL(allclose, allclose, AllCloseKernel, kNumeric);

}  // namespace
}  // namespace paddle_aten
