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

Tensor in(const DT& t) {
  auto where = t.place().GetType() == phi::AllocationType::CUSTOM
                   ? device()
                   : c10::Device(c10::kCPU);
  const auto& dims = t.dims();
  const auto& strides = t.strides();
  at::IntArrayRef shape(dims.Get(), dims.size());
  auto opts = at::TensorOptions().device(where).dtype(to_aten(t.dtype()));
  if (t.numel() == 0) return at::empty(shape, opts);
  auto maker = at::for_blob(const_cast<void*>(t.data()), shape);
  if (strides.size() == dims.size())
    maker.strides(at::IntArrayRef(strides.Get(), strides.size()));
  return maker.options(opts).target_device(where).make_tensor();
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
  auto view = in(*target);
  view.copy_(value.sizes() == view.sizes() ? value : value.reshape(view.sizes()));
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
  auto view = in(*target);
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
