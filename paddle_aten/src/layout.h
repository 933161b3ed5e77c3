// Images as ATen sees them: channels second, in whatever order they lie in memory.
#pragma once

#include <string>
#include <vector>

#include "bridge.h"

namespace paddle_aten {

using Ints = std::vector<int>;
using Longs = std::vector<int64_t>;
using Str = std::string;

inline Longs longs(const Ints& v) { return {v.begin(), v.end()}; }

// Channels-last Paddle tensors are seen by ATen as NCHW with other strides. An image that only looks channels-last,
// being a transposed view, is copied: ATen would choose its kernels by the memory and return such images, too.
inline bool channels_last(const Str& format) { return format == "NHWC" || format == "NDHWC"; }
inline Tensor nchw(const Tensor& t, bool last) {
  if (!last) return t;
  auto seen = t.movedim(-1, 1);
  return t.dim() == 4 ? seen.contiguous(at::MemoryFormat::ChannelsLast) : seen;
}
inline Tensor from_nchw(const Tensor& t, bool last) { return last ? t.movedim(1, -1) : t; }

}  // namespace paddle_aten
