// Random numbers. Paddle's generator of the device, (seed, offset), decides; torch's computes.
//
// paddle.seed, get_rng_state and set_rng_state therefore do what they say. While a graph is captured, torch counts
// offsets from the graph's start; before a replay the state is taken from Paddle's generator again, so that
// paddle.seed(s) followed by a replay draws what paddle.seed(s) followed by the step itself draws.
#include <ATen/Context.h>

#include "bridge.h"
#include "paddle/phi/core/generator.h"
#include "paddle/phi/kernels/bernoulli_kernel.h"
#include "paddle/phi/kernels/dropout_grad_kernel.h"
#include "paddle/phi/kernels/dropout_kernel.h"
#include "paddle/phi/kernels/gaussian_kernel.h"
#include "paddle/phi/kernels/randint_kernel.h"
#include "paddle/phi/kernels/randperm_kernel.h"
#include "paddle/phi/kernels/truncated_gaussian_random_kernel.h"
#include "paddle/phi/kernels/uniform_inplace_kernel.h"
#include "paddle/phi/kernels/uniform_kernel.h"

namespace paddle_aten {
namespace {

using phi::DataType;
using phi::IntArray;
using phi::Scalar;

bool capturing = false;

phi::Generator& paddles() {
  static auto generator = phi::DefaultCustomDeviceGenerator(phi::CustomPlace(kDeviceName, 0));
  return *generator;
}
at::Generator torchs() { return at::globalContext().defaultGenerator(device()); }

// A well mixed seed for the CPU, whose generator has no offset.
uint64_t mixed(uint64_t seed, uint64_t offset) {
  uint64_t z = seed + 0x9e3779b97f4a7c15ull * (offset + 1);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
  return z ^ (z >> 31);
}

void take_state() {
  auto generator = torchs();
  std::lock_guard<std::mutex> lock(generator.mutex());
  auto [seed, offset] = paddles().IncrementOffset(0);
  if (device().is_cpu()) return generator.set_current_seed(mixed(seed, offset));
  generator.set_current_seed(seed);
  generator.set_offset(offset);
}
void give_state_back() {
  if (device().is_cpu()) return void(paddles().IncrementOffset(1));
  paddles().IncrementOffset(torchs().get_offset() - paddles().IncrementOffset(0).second);
}

// Around every kernel that draws.
struct Drawing {
  Drawing() {
    if (!capturing) take_state();
  }
  ~Drawing() {
    if (!capturing) give_state_back();
  }
};

void uniform(const Ctx&, const IntArray& shape, DataType dtype, const Scalar& low, const Scalar& high, int, DT* y) {
  Drawing drawing;
  out(y, at::empty(shape.GetData(), options(dtype)).uniform_(low.to<double>(), high.to<double>()));
}
ATEN_KERNEL(uniform, uniform, UniformKernel, kFloating);

void uniform_inplace(const Ctx&, const DT& x, float low, float high, int, int diagonals, int, float, DT* y) {
  PADDLE_ENFORCE_EQ(diagonals, 0, common::errors::Unimplemented("uniform_ with a diagonal"));
  Drawing drawing;
  in_place(x, y).uniform_(low, high);
}
ATEN_KERNEL(uniform_inplace, uniform_inplace, UniformInplaceKernel, kFloating);

void gaussian(const Ctx&, const IntArray& shape, float mean, float std, int, DataType dtype, DT* y) {
  Drawing drawing;
  out(y, at::empty(shape.GetData(), options(dtype)).normal_(mean, std));
}
ATEN_KERNEL(gaussian, gaussian, GaussianKernel, kFloating);
// Paddle installs no header for it.
void gaussian_inplace(const Ctx&, const DT& x, float mean, float std, int, DT* y) {
  Drawing drawing;
  in_place(x, y).normal_(mean, std);
}
const Register<&gaussian_inplace> register_gaussian_inplace("gaussian_inplace", kFloating);

// Within [a, b] standard deviations of the mean, by the inverse of the normal distribution function.
void truncated_gaussian(const Ctx&, const std::vector<int>& shape, float mean, float std, int, float a, float b,
                        DataType dtype, DT* y) {
  Drawing drawing;
  auto below = [](double x) { return 0.5 * std::erfc(-x / std::sqrt(2.0)); };
  auto u = at::empty(std::vector<int64_t>(shape.begin(), shape.end()), options(DataType::FLOAT64));
  u.uniform_(below(a), below(b)).mul_(2).sub_(1).erfinv_().mul_(std * std::sqrt(2.0)).add_(mean);
  out(y, u.to(to_aten(dtype)));
}
ATEN_KERNEL(truncated_gaussian_random, truncated_gaussian, TruncatedGaussianRandomKernel, kFloating);

void randint(const Ctx&, int low, int high, const IntArray& shape, DataType dtype, DT* y) {
  Drawing drawing;
  out(y, at::randint(low, high, shape.GetData(), options(dtype)));
}
ATEN_KERNEL(randint, randint, RandintKernel, Dtypes({DataType::INT32, DataType::INT64}));

void randperm(const Ctx&, int n, DataType dtype, DT* y) {
  Drawing drawing;
  out(y, at::randperm(n, options(dtype)));
}
ATEN_KERNEL(randperm, randperm, RandpermKernel, kNumeric);

void bernoulli(const Ctx&, const DT& p, DT* y) {
  Drawing drawing;
  out(y, at::bernoulli(in(p)));
}
ATEN_KERNEL(bernoulli, bernoulli, BernoulliKernel, kFloating);

void dropout(const Ctx&, const DT& x_, const OptDT&, const Scalar& p_, bool is_test, const std::string& mode, int, bool,
             DT* y, DT* mask) {
  auto x = in(x_);
  double keep = 1 - p_.to<double>();
  bool upscale = mode == "upscale_in_train";
  if (is_test) return out(y, upscale ? x.clone() : x * keep);
  Drawing drawing;
  auto kept = at::bernoulli(at::full_like(x, keep));
  out(y, upscale && keep > 0 ? x * kept / keep : x * kept);
  fresh(mask, kept.to(at::kByte));
}
ATEN_KERNEL(dropout, dropout, DropoutRawKernel, kFloating);
void dropout_grad(const Ctx&, const DT& mask, const DT& dy, const Scalar& p_, bool is_test, const std::string& mode,
                  DT* dx) {
  double keep = 1 - p_.to<double>();
  bool upscale = mode == "upscale_in_train";
  if (is_test) return fresh(dx, upscale ? in(dy).clone() : in(dy) * keep);
  fresh(dx, upscale && keep > 0 ? in(dy) * in(mask) / keep : in(dy) * in(mask));
}
ATEN_KERNEL(dropout_grad, dropout_grad, DropoutGradRawKernel, kFloating);

}  // namespace
}  // namespace paddle_aten

extern "C" {
#define EXPORT __attribute__((visibility("default")))
// While a graph is captured, kernels leave the generators alone.
EXPORT void paddle_aten_set_capturing(bool on) { paddle_aten::capturing = on; }
// Before and after a replay.
EXPORT void paddle_aten_take_random_state() { paddle_aten::take_state(); }
EXPORT void paddle_aten_give_random_state_back() { paddle_aten::give_state_back(); }
}
