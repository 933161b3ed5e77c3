// Bridge between Paddle's DenseTensor and ATen's Tensor.
//
// A kernel of this plugin wraps its inputs with in(), calls ATen, and hands
// the result to out(). Nothing is copied: an input becomes a view of Paddle's
// memory, and a fresh output keeps ATen's storage as Paddle's allocation.
#pragma once

#include <ATen/ATen.h>
#include <ATen/core/LegacyTypeDispatch.h>

#include <numeric>
#include <optional>
#include <vector>

#include "paddle/phi/backends/custom/custom_context.h"
#include "paddle/phi/common/int_array.h"
#include "paddle/phi/common/scalar.h"
#include "paddle/phi/core/dense_tensor.h"
#include "paddle/phi/core/kernel_registry.h"
#include "paddle/utils/optional.h"

namespace paddle_aten {

using Ctx = phi::CustomContext;
using DT = phi::DenseTensor;
using OptDT = paddle::optional<phi::DenseTensor>;
using at::Tensor;

// The name in paddle.set_device("aten") and in kernel registration.
inline constexpr const char* kDeviceName = "aten";

// The device that ATen computes on: CUDA where there is one, else the CPU.
c10::Device device();

at::ScalarType to_aten(phi::DataType dtype);
phi::DataType to_paddle(at::ScalarType dtype);
inline at::TensorOptions options(phi::DataType dtype) {
  return at::TensorOptions().device(device()).dtype(to_aten(dtype));
}

inline std::vector<int64_t> sizes(const phi::DDim& dims) {
  return {dims.Get(), dims.Get() + dims.size()};
}
inline std::vector<int64_t> sizes(const DT& t) { return sizes(t.dims()); }

// A view of a Paddle tensor's memory (with its strides; CPU or device).
Tensor in(const DT& t);
inline std::optional<Tensor> in(const OptDT& t) {
  if (!t || !t->initialized()) return std::nullopt;
  return in(*t);
}

// Writes value, broadcast, into a tensor's memory.
void write(const DT& t, const Tensor& value);
// Makes value the content of target: copied where Paddle already gave the
// target memory (in-place operators), else handed over without a copy.
void out(DT* target, Tensor value);
// The same, never copied: for gradients, whose memory nobody else looks at
// (Paddle may offer the memory of a gradient that is no longer needed).
void fresh(DT* target, Tensor value);
// A view of target, holding source's content; they mostly share memory.
Tensor in_place(const DT& source, DT* target);

at::Scalar scalar(const phi::Scalar& s);

// t, of three or more axes, summed over all but the last: first over the middle ones, because ATen reads memory several
// times slower where it sums over leading axes at once.
inline Tensor sum_but_last(const Tensor& t, std::optional<at::ScalarType> dtype = std::nullopt) {
  std::vector<int64_t> middle(t.dim() - 2);
  std::iota(middle.begin(), middle.end(), 1);
  return t.sum(middle, false, dtype).sum(0);
}
// value summed down to the dims of like (the gradient of broadcasting).
inline Tensor unbroadcast(const Tensor& value, const DT& like) {
  auto want = sizes(like);
  if (value.sizes() == at::IntArrayRef(want)) return value;
  if (value.dim() > 2 && !want.empty() && like.numel() == want.back() && want.back() == value.size(-1))
    return sum_but_last(value).reshape(want);
  return at::sum_to(value, want);
}

using NoAutograd = at::AutoDispatchBelowADInplaceOrView;

// ---- registration ----

using Dtypes = std::vector<phi::DataType>;
// Defined here, since kernels of every file are registered before main, in the order of the files.
inline const Dtypes kFloating = {phi::DataType::FLOAT32, phi::DataType::FLOAT64, phi::DataType::FLOAT16,
                                 phi::DataType::BFLOAT16};
inline const Dtypes kNumeric = {phi::DataType::FLOAT32, phi::DataType::FLOAT64,  phi::DataType::FLOAT16,
                                phi::DataType::BFLOAT16, phi::DataType::INT32,   phi::DataType::INT64,
                                phi::DataType::INT16,   phi::DataType::INT8,     phi::DataType::UINT8};
inline const Dtypes kAll = {phi::DataType::FLOAT32,  phi::DataType::FLOAT64, phi::DataType::FLOAT16,
                            phi::DataType::BFLOAT16, phi::DataType::INT32,   phi::DataType::INT64,
                            phi::DataType::INT16,    phi::DataType::INT8,    phi::DataType::UINT8,
                            phi::DataType::BOOL};

void count_kernel();

// Kernel Fn as Paddle calls it: below ATen's autograd (Paddle has its own), and
// with ATen's errors turned into Paddle's, which reach Python as exceptions.
template <auto Fn, typename Signature = decltype(Fn)>
struct Called;
template <auto Fn, typename... Args>
struct Called<Fn, void (*)(Args...)> {
  static void kernel(Args... args) {
    try {
      NoAutograd no_autograd;
      count_kernel();
      Fn(std::forward<Args>(args)...);
    } catch (const c10::Error& e) {
      PADDLE_THROW(common::errors::External("ATen: %s", e.what_without_backtrace()));
    }
  }
};

template <auto Fn>
struct Register {
  Register(const char* name,
           const Dtypes& dtypes,
           phi::KernelArgsDefFn def = [](const phi::KernelKey&,
                                         phi::Kernel*) {}) {
    using Impl = phi::KernelImpl<decltype(Fn), &Called<Fn>::kernel>;
    for (auto dtype : dtypes) {
      phi::KernelRegistrar(phi::RegType::OUTER,
                           name,
                           kDeviceName,
                           phi::DataLayout::ALL_LAYOUT,
                           dtype,
                           phi::KernelArgsParseFunctor<decltype(Fn)>::Parse,
                           def,
                           Impl::Compute,
                           reinterpret_cast<void*>(&Impl::VariadicCompute));
    }
  }
};

// Registers fn as kernel `name`; it must have the signature of phi::ref.
#define ATEN_KERNEL(name, fn, ref, ...)                              \
  using signature_##name [[maybe_unused]] = decltype(static_cast<decltype(&fn)>( \
      &phi::ref<float, Ctx>));                                       \
  static const Register<&fn> register_##name(#name, __VA_ARGS__)
// The same for kernels that are templates of the context alone.
#define ATEN_KERNEL_C(name, fn, ref, ...)                            \
  using signature_##name [[maybe_unused]] = decltype(static_cast<decltype(&fn)>( \
      &phi::ref<Ctx>));                                              \
  static const Register<&fn> register_##name(#name, __VA_ARGS__)

}  // namespace paddle_aten
