// Pointwise kernels compiled at run time by PyTorch's own compiler of such kernels, for several operations in one pass
// over memory.
#pragma once

#include <string>

#include "bridge.h"

namespace at::cuda {

// As ATen/cuda/jiterator.h declares it, whose header a CPU build of PyTorch lacks, as its library lacks the function.
__attribute__((weak, visibility("default"))) c10::SmallVector<at::Tensor> CompileAndLaunchKernel(
    const std::string& code,
    const std::string& name,
    const int outputs,
    const c10::SmallVector<at::Tensor>& tensors,
    const c10::SmallVector<at::Scalar>& extra,
    bool return_by_ref);

}  // namespace at::cuda

namespace paddle_aten {

inline bool can_fuse(const Tensor& like) { return like.is_cuda() && at::cuda::CompileAndLaunchKernel; }

// The function `name` of CUDA code, a template of one type, at every element of tensors that broadcast.
inline Tensor fuse(const char* name, const char* code, std::initializer_list<Tensor> tensors) {
  return at::cuda::CompileAndLaunchKernel(code, name, 1, c10::SmallVector<Tensor>(tensors), {}, false)[0];
}

}  // namespace paddle_aten
