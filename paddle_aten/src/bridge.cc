#include "bridge.h"

namespace paddle_aten {

using phi::DataType;

at::ScalarType to_aten(DataType dtype) {
  switch (dtype) {
    case DataType::FLOAT32: return at::kFloat;
    case DataType::FLOAT64: return at::kDouble;
    case DataType::FLOAT16: return at::kHalf;
    case DataType::BFLOAT16: return at::kBFloat16;
    case DataType::INT64: return at::kLong;
    case DataType::INT32: return at::kInt;
    case DataType::INT16: return at::kShort;
    case DataType::INT8: return at::kChar;
    case DataType::UINT8: return at::kByte;
    case DataType::BOOL: return at::kBool;
    case DataType::COMPLEX64: return at::kComplexFloat;
    case DataType::COMPLEX128: return at::kComplexDouble;
    default: PADDLE_THROW(common::errors::Unimplemented("dtype without ATen type"));
  }
}

DataType to_paddle(at::ScalarType dtype) {
  switch (dtype) {
    case at::kFloat: return DataType::FLOAT32;
    case at::kDouble: return DataType::FLOAT64;
    case at::kHalf: return DataType::FLOAT16;
    case at::kBFloat16: return DataType::BFLOAT16;
    case at::kLong: return DataType::INT64;
    case at::kInt: return DataType::INT32;
    case at::kShort: return DataType::INT16;
    case at::kChar: return DataType::INT8;
    case at::kByte: return DataType::UINT8;
    case at::kBool: return DataType::BOOL;
    case at::kComplexFloat: return DataType::COMPLEX64;
    case at::kComplexDouble: return DataType::COMPLEX128;
    default: PADDLE_THROW(common::errors::Unimplemented("dtype without Paddle type"));
  }
}

namespace {

// A tensor's memory. ATen has no negative strides, so x[::-1] is seen forwards here; `backwards` are the axes to flip.
struct Memory {
  explicit Memory(const DT& t) {
    auto where = t.place().GetType() == phi::AllocationType::CUSTOM ? device() : c10::Device(c10::kCPU);
    auto shape = sizes(t), strides = sizes(t.strides());
    auto opts = at::TensorOptions().device(where).dtype(to_aten(t.dtype()));
    if (t.numel() == 0) {
      view = at::empty(shape, opts);
      return;
    }
    auto start = static_cast<char*>(const_cast<void*>(t.data()));
    bool strided = strides.size() == shape.size();
    for (size_t i = 0; strided && i < shape.size(); ++i) {
      if (strides[i] >= 0) continue;
      start += strides[i] * (shape[i] - 1) * static_cast<int64_t>(phi::SizeOf(t.dtype()));
      strides[i] = -strides[i];
      backwards.push_back(i);
    }
    auto maker = at::for_blob(start, shape);
    if (strided) maker.strides(strides);
    view = maker.options(opts).target_device(where).make_tensor();
  }
  Tensor flipped(const Tensor& t) const { return backwards.empty() ? t : at::flip(t, backwards); }

  Tensor view;
  std::vector<int64_t> backwards;
};

}  // namespace

Tensor in(const DT& t) {
  Memory memory(t);
  return memory.flipped(memory.view);
}

void write(const DT& t, const Tensor& value) {
  Memory memory(t);
  auto shaped = value.numel() == t.numel() ? value.reshape(memory.view.sizes()) : value.expand(memory.view.sizes());
  memory.view.copy_(memory.flipped(shaped));
}

namespace {

// Keeps an ATen storage alive for as long as Paddle holds the allocation.
class StorageAllocation final : public phi::Allocation {
 public:
  StorageAllocation(void* data, size_t bytes, const phi::Place& place, c10::Storage storage)
      : phi::Allocation(data, bytes, place), storage_(std::move(storage)) {}

 private:
  c10::Storage storage_;
};

}  // namespace

void out(DT* target, Tensor value) {
  if (target == nullptr || !value.defined()) return;
  if (!target->initialized()) return fresh(target, std::move(value));
  PADDLE_ENFORCE_EQ(value.numel(), target->numel(), common::errors::Fatal("a result of another size than its tensor"));
  write(*target, value);
}

// Whether value only views Paddle's memory (in() made it), so that its storage
// cannot be handed over.
static bool borrowed(const Tensor& value) { return !value.storage().resizable(); }

void fresh(DT* target, Tensor value) {
  if (target == nullptr || !value.defined()) return;
  if (target->dtype() == DataType::UNDEFINED) target->set_type(to_paddle(value.scalar_type()));
  value = value.to(to_aten(target->dtype()));
  if (borrowed(value)) {
    bool there = target->initialized() && target->data() == value.data_ptr() && value.is_contiguous() &&
                 target->numel() == value.numel();
    if (there) return;  // Paddle donated exactly this memory
    value = value.clone(at::MemoryFormat::Contiguous);
  }
  value = value.contiguous();
  if (target->numel() != value.numel()) target->Resize(common::make_ddim(value.sizes().vec()));
  static const phi::Place place = phi::CustomPlace(kDeviceName, 0);
  auto meta = target->meta();
  meta.strides = phi::DenseTensorMeta::calc_strides(meta.dims);
  meta.offset = 0;
  target->set_meta(meta);
  target->ResetHolder(std::make_shared<StorageAllocation>(value.data_ptr(), value.nbytes(), place, value.storage()));
}

Tensor in_place(const DT& source, DT* target) {
  if (!target->initialized()) fresh(target, in(source).clone());
  Memory memory(*target);
  PADDLE_ENFORCE_EQ(memory.backwards.empty(), true,
                    common::errors::Unimplemented("changing a tensor with negative strides in place"));
  auto view = memory.view;
  if (target->data() != source.data()) view.copy_(in(source));
  return view;
}

at::Scalar scalar(const phi::Scalar& s) {
  switch (s.dtype()) {
    case DataType::BOOL: return s.to<bool>();
    case DataType::INT8:
    case DataType::UINT8:
    case DataType::INT16:
    case DataType::INT32:
    case DataType::INT64: return s.to<int64_t>();
    default: return s.to<double>();
  }
}

}  // namespace paddle_aten
