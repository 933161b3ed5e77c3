// Optimizer steps. They update parameters and moments in place, without
// reading anything back to the host, so that a step can be captured in a graph.
#include <ATen/ops/_fused_adam.h>

#include <cmath>

#include "bridge.h"
#include "paddle/phi/kernels/adam_kernel.h"
#include "paddle/phi/kernels/adamw_kernel.h"
#include "paddle/phi/kernels/momentum_kernel.h"
#include "paddle/phi/kernels/rmsprop_kernel.h"
#include "paddle/phi/kernels/sgd_kernel.h"

namespace paddle_aten {
namespace {

using Tensors = std::vector<Tensor>;

// Multiplies the powers of a beta by beta. Paddle creates them on the CPU; from
// the first step on they live on the device.
void advance(const std::vector<const DT*>& powers, double beta, const std::vector<DT*>& next) {
  Tensors on_device;
  for (size_t i = 0; i < powers.size(); ++i) {
    if (powers[i]->place().GetType() == phi::AllocationType::CUSTOM && next[i]->initialized())
      on_device.push_back(in_place(*powers[i], next[i]));
    else
      fresh(next[i], in(*powers[i]).to(device()) * beta);
  }
  if (!on_device.empty()) at::_foreach_mul_(on_device, beta);
}

// The powers may be on the CPU when they come in.
void powers_anywhere(const phi::KernelKey&, phi::Kernel* kernel) {
  for (int i : {6, 7}) kernel->InputAt(i).SetBackend(phi::Backend::ALL_BACKEND);
  for (int i : {4, 5}) kernel->OutputAt(i).SetBackend(phi::Backend::UNDEFINED);
}

// One step of torch's fused Adam. Its formula is Paddle's, counted in steps: they are found from the powers of beta2.
// In float32 Paddle's rounding of the powers is kept by steps that are not whole; in float64 they are whole.
void step_adam(const Tensors& params, const Tensors& grads, const Tensors& moments1, const Tensors& moments2,
               const std::vector<const DT*>& powers2, const Tensor& lr, double beta1, double beta2, double epsilon) {
  Tensors powers;
  for (auto* power : powers2) powers.push_back(in(*power).to(device(), at::kFloat).reshape({}));
  auto steps = at::_foreach_log(powers);
  at::_foreach_div_(steps, std::log(beta2));
  auto fused = [&](const Tensors& from, auto rate) {
    at::_fused_adam_(from, grads, moments1, moments2, {}, steps, rate, beta1, beta2, /*weight_decay=*/0., epsilon,
                     /*amsgrad=*/false, /*maximize=*/false);
  };
  if (params[0].scalar_type() != at::kDouble) return fused(params, lr.reshape({}));
  at::_foreach_round_(steps);
  auto moves = at::_foreach_mul(params, 0.);  // on CUDA a rate on the device is a float: moved by 1, then scaled
  fused(moves, 1.);
  at::_foreach_mul_(moves, lr.reshape({}));
  at::_foreach_add_(params, moves);
}

void adam(const Ctx&, const DT& param, const DT& grad, const DT& lr, const DT& moment1, const DT& moment2, const OptDT&,
          const DT& power1, const DT& power2, const OptDT&, const OptDT&, const phi::Scalar& beta1,
          const phi::Scalar& beta2, const phi::Scalar& epsilon, bool, int64_t, bool multi_precision,
          bool use_global_beta_pow, bool amsgrad, DT* param_out, DT* moment1_out, DT* moment2_out, DT*, DT* power1_out,
          DT* power2_out, DT*) {
  PADDLE_ENFORCE_EQ(multi_precision || amsgrad, false, common::errors::Unimplemented("adam: master weights, amsgrad"));
  step_adam({in_place(param, param_out)}, {in(grad)}, {in_place(moment1, moment1_out)},
            {in_place(moment2, moment2_out)}, {&power2}, in(lr), beta1.to<double>(), beta2.to<double>(),
            epsilon.to<double>());
  if (use_global_beta_pow) return;
  advance({&power1}, beta1.to<double>(), {power1_out});
  advance({&power2}, beta2.to<double>(), {power2_out});
}
ATEN_KERNEL(adam, adam, AdamDenseKernel, Dtypes({phi::DataType::FLOAT32, phi::DataType::FLOAT64}),
            powers_anywhere);

void merged_adam(const Ctx&, const std::vector<const DT*>& param, const std::vector<const DT*>& grad,
                 const std::vector<const DT*>& lr, const std::vector<const DT*>& moment1,
                 const std::vector<const DT*>& moment2, const paddle::optional<std::vector<const DT*>>&,
                 const std::vector<const DT*>& power1, const std::vector<const DT*>& power2,
                 const paddle::optional<std::vector<const DT*>>&, const phi::Scalar& beta1, const phi::Scalar& beta2,
                 const phi::Scalar& epsilon, bool multi_precision, bool use_global_beta_pow, bool amsgrad,
                 std::vector<DT*> param_out, std::vector<DT*> moment1_out, std::vector<DT*> moment2_out,
                 std::vector<DT*>, std::vector<DT*> power1_out, std::vector<DT*> power2_out, std::vector<DT*>) {
  PADDLE_ENFORCE_EQ(multi_precision || amsgrad, false,
                    common::errors::Unimplemented("merged_adam: master weights, amsgrad"));
  Tensors p, g, m1, m2;
  for (size_t i = 0; i < param.size(); ++i) {
    p.push_back(in_place(*param[i], param_out[i]));
    g.push_back(in(*grad[i]));
    m1.push_back(in_place(*moment1[i], moment1_out[i]));
    m2.push_back(in_place(*moment2[i], moment2_out[i]));
  }
  step_adam(p, g, m1, m2, power2, in(*lr[0]), beta1.to<double>(), beta2.to<double>(), epsilon.to<double>());
  if (use_global_beta_pow) return;
  advance(power1, beta1.to<double>(), power1_out);
  advance(power2, beta2.to<double>(), power2_out);
}
ATEN_KERNEL(merged_adam, merged_adam, MergedAdamKernel, Dtypes({phi::DataType::FLOAT32, phi::DataType::FLOAT64}),
            powers_anywhere);

void rmsprop(const Ctx&, const DT& param, const DT& mean_square, const DT& grad, const DT& moment, const DT& lr,
             const OptDT& mean_grad, const OptDT&, float epsilon, float decay, float momentum, bool centered,
             bool multi_precision, DT* param_out, DT* moment_out, DT* mean_square_out, DT* mean_grad_out, DT*) {
  PADDLE_ENFORCE_EQ(multi_precision, false, common::errors::Unimplemented("rmsprop: master weights"));
  auto g = in(grad);
  auto p = in_place(param, param_out);
  auto ms = in_place(mean_square, mean_square_out);
  auto mom = in_place(moment, moment_out);
  ms.mul_(decay).addcmul_(g, g, 1 - decay);
  auto variance = ms + epsilon;
  if (centered) {
    auto mg = in_place(*mean_grad, mean_grad_out);
    mg.mul_(decay).add_(g, 1 - decay);
    variance.addcmul_(mg, mg, -1);
  }
  mom.mul_(momentum).add_(variance.rsqrt_().mul_(g).mul_(in(lr)));
  p.sub_(mom);
}
ATEN_KERNEL(rmsprop, rmsprop, RmspropDenseKernel, Dtypes({phi::DataType::FLOAT32, phi::DataType::FLOAT64}));

void momentum(const Ctx&, const DT& param, const DT& grad, const DT& velocity, const DT& lr, const OptDT&, float mu,
              bool nesterov, const std::string& method, float coefficient, bool multi_precision, float rescale,
              DT* param_out, DT* velocity_out, DT*) {
  PADDLE_ENFORCE_EQ(multi_precision, false, common::errors::Unimplemented("momentum: master weights"));
  auto p = in_place(param, param_out), v = in_place(velocity, velocity_out);
  auto g = in(grad) * rescale;
  if (method == "l2_decay") g.add_(p, coefficient);
  v.mul_(mu).add_(g);
  p.sub_((nesterov ? g.add_(v, mu) : v) * in(lr));
}
ATEN_KERNEL(momentum, momentum, MomentumDenseKernel, Dtypes({phi::DataType::FLOAT32, phi::DataType::FLOAT64}));

void adamw(const Ctx& context, const DT& param, const DT& grad, const DT& lr, const DT& moment1, const DT& moment2,
           const OptDT& largest, const DT& power1, const DT& power2, const OptDT& master, const OptDT& skip,
           const phi::Scalar& beta1, const phi::Scalar& beta2, const phi::Scalar& epsilon, float lr_ratio, float decay,
           bool with_decay, bool lazy, int64_t rows, bool multi_precision, bool use_global_beta_pow, bool amsgrad,
           DT* param_out, DT* moment1_out, DT* moment2_out, DT* largest_out, DT* power1_out, DT* power2_out,
           DT* master_out) {
  PADDLE_ENFORCE_EQ(lr_ratio, 1.f, common::errors::Unimplemented("adamw: a ratio of learning rates"));
  if (with_decay) in_place(param, param_out).mul_(1 - in(lr) * decay);
  adam(context, with_decay ? *param_out : param, grad, lr, moment1, moment2, largest, power1, power2, master, skip,
       beta1, beta2, epsilon, lazy, rows, multi_precision, use_global_beta_pow, amsgrad, param_out, moment1_out,
       moment2_out, largest_out, power1_out, power2_out, master_out);
}
ATEN_KERNEL(adamw, adamw, AdamwDenseKernel, Dtypes({phi::DataType::FLOAT32, phi::DataType::FLOAT64}), powers_anywhere);

void sgd(const Ctx&, const DT& param, const DT& lr, const DT& grad, const OptDT&, bool multi_precision, DT* param_out,
         DT*) {
  PADDLE_ENFORCE_EQ(multi_precision, false, common::errors::Unimplemented("sgd: master weights"));
  in_place(param, param_out).addcmul_(in(grad), in(lr), -1);
}
ATEN_KERNEL(sgd, sgd, SGDDenseKernel, Dtypes({phi::DataType::FLOAT32, phi::DataType::FLOAT64}));

}  // namespace
}  // namespace paddle_aten
