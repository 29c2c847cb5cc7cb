#include "connect/postgres/value_check.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <utility>
#include <vector>

#include "connect/postgres/row_encoder.h"
#include "connect/postgres/wire/encoder.h"

namespace wherry::postgres {
namespace {

constexpr std::array<std::pair<std::string_view, NativeKind>, 28> kTypeNames = {
    {{"boolean", NativeKind::kBool},
     {"smallint", NativeKind::kInt2},
     {"integer", NativeKind::kInt4},
     {"bigint", NativeKind::kInt8},
     {"real", NativeKind::kFloat4},
     {"double precision", NativeKind::kFloat8},
     {"numeric", NativeKind::kNumeric},
     {"text", NativeKind::kText},
     {"varchar", NativeKind::kText},
     {"character varying", NativeKind::kText},
     {"character", NativeKind::kBpchar},
     {"bpchar", NativeKind::kBpchar},
     {"json", NativeKind::kJson},
     {"jsonb", NativeKind::kJsonb},
     {"xml", NativeKind::kXml},
     {"bytea", NativeKind::kBytea},
     {"uuid", NativeKind::kUuid},
     {"date", NativeKind::kDate},
     {"time", NativeKind::kTime},
     {"time without time zone", NativeKind::kTime},
     {"timestamp", NativeKind::kTimestamp},
     {"timestamp without time zone", NativeKind::kTimestamp},
     {"timestamptz", NativeKind::kTimestampTz},
     {"timestamp with time zone", NativeKind::kTimestampTz},
     {"interval", NativeKind::kInterval},
     {"int2", NativeKind::kInt2},
     {"int4", NativeKind::kInt4},
     {"int8", NativeKind::kInt8}}};

/// The numbers between the parentheses.
std::vector<int> numbers_in(std::string_view list) {
  std::vector<int> out;
  while (!list.empty()) {
    const std::size_t comma = std::min(list.find(','), list.size());
    int number = 0;
    std::from_chars(list.data(), list.data() + comma, number);
    out.push_back(number);
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
  return out;
}

class EncoderCheck final : public connect::ValueCheck {
 public:
  explicit EncoderCheck(const schema::TablePlan& plan) : columns_(plan.columns) {
    for (const schema::ColumnPlan& column : columns_) {
      const NativeType native = native_type_named(column.target_type);
      // What its own engine's bytes mean is for the server to say.
      const bool is_known =
          native.kind != NativeKind::kOther && column.type.kind != schema::TypeKind::kNative;
      encoders_.push_back(is_known ? wire::choose_encoder(column.type, native, column.trim_blanks)
                                   : std::nullopt);
    }
  }

  std::string check(std::size_t column, const Cell& cell) override {
    if (!encoders_[column]) return {};
    buffer_.cut(0);
    const auto status = wire::encode_cell(*encoders_[column], cell, buffer_);
    if (status == wire::EncodeStatus::kOk || status == wire::EncodeStatus::kSpilled) return {};
    return message_of(status, columns_[column], cell);
  }

 private:
  const std::vector<schema::ColumnPlan> columns_;
  std::vector<std::optional<wire::ColumnEncoder>> encoders_;
  wire::CopyBuffer buffer_;
};

}  // namespace

NativeType native_type_named(std::string_view name) {
  NativeType out;
  out.name = name;
  std::string base(name);
  std::vector<int> numbers;
  const std::size_t open = base.find('('), close = base.find(')');
  if (open != std::string::npos && close != std::string::npos && open < close) {
    numbers = numbers_in(std::string_view(base).substr(open + 1, close - open - 1));
    base.erase(open, close - open + 1);
  }
  const auto found = std::find_if(kTypeNames.begin(), kTypeNames.end(),
                                  [&](const auto& known) { return known.first == base; });
  if (found == kTypeNames.end()) return out;
  out.kind = found->second;
  const int first = numbers.empty() ? 0 : numbers[0];
  if (is_text(out.kind)) out.max_chars = static_cast<std::uint32_t>(first);
  if (out.kind == NativeKind::kNumeric) {
    out.precision = first;
    out.scale = numbers.size() > 1 ? numbers[1] : 0;
  }
  const bool has_fraction = out.kind == NativeKind::kTime || out.kind == NativeKind::kTimestamp ||
                            out.kind == NativeKind::kTimestampTz ||
                            out.kind == NativeKind::kInterval;
  if (has_fraction && !numbers.empty()) out.fraction_digits = first;
  return out;
}

std::unique_ptr<connect::ValueCheck> make_value_check(const schema::TablePlan& plan) {
  return std::make_unique<EncoderCheck>(plan);
}

}  // namespace wherry::postgres
