#include "connect/postgres/apply_rows.h"

#include <algorithm>

namespace wherry::postgres {
namespace {

using connect::ApplyRow;
using connect::StepKind;

/// More kinds of rows than this become one statement in which each value says whether it is meant.
constexpr std::size_t kMostForms = 4;
constexpr std::uint32_t kTextOid = 25;
constexpr std::uint32_t kBoolOid = 16;
constexpr std::size_t kCountBytes = 8;

bool is_text_form(const ApplyColumn& column, const Cell& cell) {
  return column.is_verbatim && cell.kind == CellKind::kText;
}

bool is_among(const std::vector<std::size_t>& list, std::size_t item) {
  return std::find(list.begin(), list.end(), item) != list.end();
}

char mark_of(const ApplyColumn& column, const Cell* cell) {
  if (!is_set(cell)) return '-';
  // NULL has no form: whatever the others have will do.
  if (cell->state == CellState::kNull) return 'n';
  return is_text_form(column, *cell) ? 't' : 'b';
}

std::uint64_t bytes_of(const Cell* cell) {
  if (cell == nullptr) return 0;
  const bool has_size = cell->kind == CellKind::kText || cell->kind == CellKind::kBytes;
  return cell->state == CellState::kSet && has_size ? cell->size_bytes + 4U : 12U;
}

/// 'n' joins what is there; false when the forms cannot be one statement.
bool join(std::string& form, const std::string& other) {
  for (std::size_t i = 0; i < form.size(); ++i) {
    if (form[i] == other[i] || other[i] == 'n') continue;
    if (form[i] == 'n') {
      form[i] = other[i];
    } else {
      return false;
    }
  }
  return true;
}

bool has_same_columns(const std::string& a, const std::string& b) {
  for (std::size_t i = 0; i < a.size(); ++i) {
    if ((a[i] == '-') != (b[i] == '-')) return false;
  }
  return true;
}

void append(RowGroup& to, RowGroup& from) {
  to.rows.insert(to.rows.end(), from.rows.begin(), from.rows.end());
  to.bytes += from.bytes;
  to.has_spilled = to.has_spilled || from.has_spilled;
}

/// Joins `from` into `to`, columns that only one of them has becoming flagged.
bool join_flagged(RowGroup& to, RowGroup& from) {
  RowForm form = to.form;
  if (!has_same_columns(form.before, from.form.before) || !join(form.before, from.form.before)) {
    return false;
  }
  for (std::size_t i = 0; i < form.after.size(); ++i) {
    char& mark = form.after[i];
    const char other = from.form.after[i];
    if ((mark == '-') != (other == '-')) {
      form.is_flagged[i] = 'f';
      if (mark == '-') mark = other;
      continue;
    }
    if (mark == 'n') mark = other;
    if (other != 'n' && mark != other) return false;
    if (from.form.is_flagged[i] == 'f') form.is_flagged[i] = 'f';
  }
  to.form = std::move(form);
  append(to, from);
  return true;
}

class Grouper {
 public:
  Grouper(const NativeApplyTable& table, StepKind kind) : table_(table), kind_(kind) {
    marks_.before.assign(table.columns.size(), '-');
    marks_.after = marks_.is_flagged = marks_.before;
  }

  void add(std::size_t number, const ApplyRow& row) {
    std::uint64_t bytes = 0;
    bool has_spilled = false;
    const auto look = [&](const Cell* cell) {
      bytes += bytes_of(cell);
      has_spilled = has_spilled || (cell != nullptr && cell->state == CellState::kSpilled);
    };
    if (kind_ != StepKind::kInsert) {
      if (table_.identity.empty()) {
        for (std::size_t i = 0; i < table_.columns.size(); ++i) {
          const Cell* cell = row.before == nullptr ? nullptr : row.before + i;
          marks_.before[i] = mark_of(table_.columns[i], cell);
          look(cell);
        }
      } else {
        for (const std::size_t i : table_.identity) {
          const Cell* cell = cell_of({FieldSource::kIdentity, i, false}, row);
          marks_.before[i] = cell == nullptr ? 'n' : mark_of(table_.columns[i], cell);
          look(cell);
        }
      }
    }
    if (kind_ != StepKind::kDelete) {
      for (std::size_t i = 0; i < table_.columns.size(); ++i) {
        marks_.after[i] = mark_of(table_.columns[i], row.after + i);
        // An update leaves the identity as it is; what changes it is kRekey.
        if (kind_ == StepKind::kUpdate && is_among(table_.identity, i)) marks_.after[i] = '-';
        if (marks_.after[i] != '-') look(row.after + i);
      }
    }
    RowGroup& group = find();
    group.rows.push_back(number);
    group.bytes += bytes;
    group.has_spilled = group.has_spilled || has_spilled;
  }

  std::vector<RowGroup> finish() {
    if (kind_ != StepKind::kInsert && groups_.size() > kMostForms) {
      std::vector<RowGroup> joined;
      for (RowGroup& group : groups_) {
        const bool is_joined = std::any_of(joined.begin(), joined.end(), [&](RowGroup& other) {
          return join_flagged(other, group);
        });
        if (!is_joined) joined.push_back(std::move(group));
      }
      groups_ = std::move(joined);
      for (RowGroup& group : groups_) std::sort(group.rows.begin(), group.rows.end());
    }
    for (RowGroup& group : groups_) {
      settle_nulls(group.form.before);
      settle_nulls(group.form.after);
    }
    return std::move(groups_);
  }

 private:
  /// What is NULL in all rows of a group.
  void settle_nulls(std::string& form) const {
    for (std::size_t i = 0; i < form.size(); ++i) {
      if (form[i] != 'n') continue;
      form[i] = table_.has_text_type && table_.columns[i].is_verbatim ? 't' : 'b';
    }
  }

  static bool takes(RowGroup& group, const RowForm& marks) {
    if (group.form == marks) return true;
    if (!has_same_columns(group.form.before, marks.before) ||
        !has_same_columns(group.form.after, marks.after)) {
      return false;
    }
    RowForm form = group.form;
    if (!join(form.before, marks.before) || !join(form.after, marks.after)) return false;
    group.form = std::move(form);
    return true;
  }

  RowGroup& find() {
    if (last_ < groups_.size() && takes(groups_[last_], marks_)) return groups_[last_];
    for (last_ = 0; last_ < groups_.size(); ++last_) {
      if (takes(groups_[last_], marks_)) return groups_[last_];
    }
    groups_.push_back({marks_, {}, 0, false});
    return groups_.back();
  }

  const NativeApplyTable& table_;
  const StepKind kind_;
  RowForm marks_;
  std::vector<RowGroup> groups_;
  std::size_t last_ = 0;
};

/// Encoders hold state of one value: each user has its own.
wire::ColumnEncoder own_encoder(const wire::ColumnEncoder& shared) {
  wire::ColumnEncoder own = shared;
  if (own.scratch) own.scratch = std::make_shared<Arena>();
  return own;
}

wire::ColumnEncoder plain_encoder(schema::TypeKind type, NativeKind kind) {
  NativeType native;
  native.kind = kind;
  return *wire::choose_encoder({type}, native, false);
}

wire::ColumnEncoder encoder_of(const NativeApplyTable& table, const ApplyField& field) {
  if (field.source == FieldSource::kIsSet) {
    return plain_encoder(schema::TypeKind::kBoolean, NativeKind::kBool);
  }
  return own_encoder(table.columns[field.column].encoder);
}

void set_cell(Cell& cell, CellKind kind, std::int64_t value) {
  cell = Cell{};
  cell.kind = kind;
  cell.state = CellState::kSet;
  cell.payload.i64 = value;
}

}  // namespace

bool is_set(const Cell* cell) {
  return cell != nullptr && cell->state != CellState::kUnchanged;
}

const Cell* cell_of(const ApplyField& field, const ApplyRow& row) {
  switch (field.source) {
    case FieldSource::kBefore:
      return row.before == nullptr ? nullptr : row.before + field.column;
    case FieldSource::kAfter:
      return row.after == nullptr ? nullptr : row.after + field.column;
    case FieldSource::kIdentity:
      if (row.before != nullptr && is_set(row.before + field.column)) {
        return row.before + field.column;
      }
      return row.after == nullptr ? nullptr : row.after + field.column;
    default:
      return nullptr;
  }
}

std::vector<RowGroup> group_rows(const NativeApplyTable& table, StepKind kind,
                                 std::span<const ApplyRow> rows) {
  Grouper grouper(table, kind);
  for (std::size_t r = 0; r < rows.size(); ++r) grouper.add(r, rows[r]);
  return grouper.finish();
}

ArrayEncoder::ArrayEncoder(const NativeApplyTable& table, std::vector<ApplyField> fields)
    : table_(table), fields_(std::move(fields)) {
  for (const ApplyField& field : fields_) encoders_.push_back(encoder_of(table, field));
}

// array_send() of PostgreSQL 15: dimensions, whether there are NULLs, the elements' type, then for
// the one dimension its length and lower bound.
void ArrayEncoder::put_header(std::size_t field, std::size_t count) {
  const ApplyField& f = fields_[field];
  const ApplyColumn& column = table_.columns[f.column];
  std::uint32_t oid = column.has_no_array ? table_.row_oid : column.oid;
  if (f.is_text) oid = kTextOid;
  if (f.source == FieldSource::kIsSet) oid = kBoolOid;
  char* at = buffer_.claim(20);
  wire::store_u32(at, 1);
  wire::store_u32(at + 4, 0);
  wire::store_u32(at + 8, oid);
  wire::store_u32(at + 12, static_cast<std::uint32_t>(count));
  wire::store_u32(at + 16, 1);
}

wire::EncodeStatus ArrayEncoder::put(std::size_t field, const Cell& cell) {
  const ApplyField& f = fields_[field];
  const ApplyColumn& column = table_.columns[f.column];
  wire::ColumnEncoder& encoder = encoders_[field];
  if (f.is_text || !column.has_no_array || cell.state != CellState::kSet) {
    return wire::encode_cell(encoder, cell, buffer_);
  }
  // A row of the table that has nothing but this column: record_send().
  const std::size_t start = buffer_.size();
  buffer_.claim(4);
  wire::store_u32(buffer_.claim(4), static_cast<std::uint32_t>(table_.row_types.size()));
  for (std::size_t place = 0; place < table_.row_types.size(); ++place) {
    wire::store_u32(buffer_.claim(4), table_.row_types[place]);
    if (place != column.place) {
      buffer_.put_null();
      continue;
    }
    const wire::EncodeStatus status = wire::encode_cell(encoder, cell, buffer_);
    if (status != wire::EncodeStatus::kOk) return status;
  }
  buffer_.set_length(start, buffer_.size() - start - 4);
  return wire::EncodeStatus::kOk;
}

std::optional<FieldProblem> ArrayEncoder::encode(std::span<const ApplyRow> rows,
                                                 std::span<const std::size_t> numbers) {
  buffer_.clear();
  starts_.clear();
  for (std::size_t k = 0; k < fields_.size(); ++k) {
    const ApplyField& field = fields_[k];
    starts_.push_back(buffer_.size());
    put_header(k, numbers.size());
    for (const std::size_t number : numbers) {
      if (field.source == FieldSource::kIsSet) {
        *buffer_.claim_field(1) = is_set(rows[number].after + field.column) ? 1 : 0;
        continue;
      }
      const Cell* cell = cell_of(field, rows[number]);
      if (cell == nullptr) {
        buffer_.put_null();
        continue;
      }
      const wire::EncodeStatus status = put(k, *cell);
      if (status != wire::EncodeStatus::kOk) {
        return FieldProblem{{status, field.column}, number};
      }
    }
  }
  starts_.push_back(buffer_.size());
  wire::store_u64(buffer_.claim(kCountBytes), numbers.size());
  return std::nullopt;
}

std::vector<std::string_view> ArrayEncoder::parameters(bool with_count) const {
  std::vector<std::string_view> out;
  const std::string_view all = buffer_.view();
  for (std::size_t k = 0; k < fields_.size(); ++k) {
    out.push_back(all.substr(starts_[k], starts_[k + 1] - starts_[k]));
  }
  if (with_count) out.push_back(all.substr(starts_.back(), kCountBytes));
  return out;
}

RowEncoder copy_encoder(const NativeApplyTable& table, const std::vector<ApplyField>& fields,
                        bool with_number) {
  std::vector<wire::ColumnEncoder> encoders;
  if (with_number) {
    encoders.push_back(plain_encoder(schema::TypeKind::kInt64, NativeKind::kInt8));
  }
  for (const ApplyField& field : fields) encoders.push_back(encoder_of(table, field));
  return RowEncoder(std::move(encoders));
}

void fill_copy_row(const std::vector<ApplyField>& fields, const ApplyRow& row,
                   std::optional<std::size_t> number, std::vector<Cell>& out) {
  std::size_t at = 0;
  if (number) set_cell(out[at++], CellKind::kInt64, static_cast<std::int64_t>(*number));
  for (const ApplyField& field : fields) {
    Cell& cell = out[at++];
    if (field.source == FieldSource::kIsSet) {
      set_cell(cell, CellKind::kBool, is_set(row.after + field.column) ? 1 : 0);
      continue;
    }
    const Cell* from = cell_of(field, row);
    if (from != nullptr) {
      cell = *from;
    } else {
      cell = Cell{};
      cell.state = CellState::kNull;
    }
  }
}

}  // namespace wherry::postgres
