// Changes as bytes and back: one record after the other, each table's shape before the first row
// that has it. Values too large to hold in line are not in the record, only their lengths; they
// travel beside it (changes/change_log.h). docs/design/change-file.md describes the bytes. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "connect/api/changes.h"
#include "core/spill_file.h"

namespace wherry::changes {

/// Appends the record without its shape to `out`. `change` is of `batch`, which may be nullptr when
/// it has no commit.
void encode_record(const connect::ChangeBatch* batch, const connect::Change& change,
                   std::string& out);

/// Used by one thread at a time.
class ChangeEncoder {
 public:
  /// The same with its shape, when that is a new one.
  void add(const connect::ChangeBatch* batch, const connect::Change& change, std::string& out);
  /// Shapes are written again before their next row: after another stream has begun, or when
  /// records were cut off.
  void forget_shapes() { known_.clear(); }

 private:
  std::map<std::uint32_t, const connect::RowShape*> known_;
};

/// The large values of a record, in the order of their cells: before, then after.
std::vector<SpilledValue> large_values(const connect::Change& change);

/// Where a decoder finds the large values of the records to come: one after the other in a file.
struct LargeValues {
  std::shared_ptr<const SpillFile> file;
  std::uint64_t next_offset_bytes = 0;
};

/// Used by one thread at a time.
class ChangeDecoder {
 public:
  /// Takes one record off `bytes` and adds it to `out`, which keeps what the record refers to.
  /// kData "change_file.damaged" when there is none; `out` may then hold nonsense, but no record.
  Result<void> next(std::string_view& bytes, LargeValues& values, connect::ChangeBatch& out);
  /// A shape as encode_shape() has it; false: it is none. Bytes that were learnt already keep their
  /// RowShape.
  bool learn(std::string_view bytes);

 private:
  struct Known {
    std::string bytes;
    connect::RowShapePtr shape;
  };

  std::map<std::uint32_t, Known> shapes_;
};

/// What is said of bytes that are no record.
Error damaged_error();

}  // namespace wherry::changes
