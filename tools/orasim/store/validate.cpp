// What the rows have to say about a new definition of their table.
#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "store/store_impl.h"

namespace orasim {
namespace {

using SegmentOf = std::function<SegmentPtr(std::uint32_t)>;
using KeySet = std::unordered_set<std::string>;

/// Calls `visit(image)` for each committed row until it returns false. No writer is active.
template <class Visit>
void visit_rows(const Segment& segment, Visit visit) {
  for (std::uint64_t i = 0; i < segment.row_slots(); ++i) {
    const Version* v = newest_data(segment.slot(i));
    if (v != nullptr && v->kind() == VersionKind::kRow && !visit(v->image())) return;
  }
}

bool has_rows(const Segment& segment) {
  bool any = false;
  visit_rows(segment, [&](std::string_view) { return !(any = true); });
  return any;
}

const ConstraintDef* find_constraint(const TableDef* table, const std::string& name) {
  if (table == nullptr) return nullptr;
  for (const ConstraintDef& c : table->constraints) {
    if (c.name == name) return &c;
  }
  return nullptr;
}

std::string qualified(const TableDef& t, const ConstraintDef& c) {
  return "(" + t.owner + "." + c.name + ")";
}

class TableValidator {
 public:
  TableValidator(const Catalog& catalog, const TableDef* before, const TableDef& after,
                 const Segment& segment, const SegmentOf& segment_of)
      : catalog_(catalog),
        before_(before),
        after_(after),
        segment_(segment),
        segment_of_(segment_of) {}

  void run() {
    check_columns();
    for (const ConstraintDef& c : after_.constraints) check_constraint(c);
    for (const IndexDef& index : after_.indexes) check_index(index);
  }

 private:
  [[nodiscard]] const ColumnDef* old_column(const ColumnDef& column) const {
    if (before_ == nullptr) return nullptr;
    for (const ColumnDef& c : before_->columns) {
      if (!c.is_virtual && c.stored_slot == column.stored_slot) return &c;
    }
    return nullptr;
  }

  void check_columns() {
    for (const ColumnDef& column : after_.columns) {
      if (column.is_virtual) continue;
      const ColumnDef* old = old_column(column);
      if (old == nullptr) {
        if (!column.nullable && column.value_when_absent.is_null() && has_rows(segment_)) {
          throw OraError(1758, "table must be empty to add mandatory (NOT NULL) column");
        }
        continue;
      }
      check_type(*old, column);
      if (old->nullable && !column.nullable && has_null(column)) throw_has_null(column);
    }
  }

  [[noreturn]] void throw_has_null(const ColumnDef& column) const {
    for (const ConstraintDef& c : after_.constraints) {
      if (c.is_not_null && c.enabled && c.columns.size() == 1 && c.columns[0] == column.name) {
        throw OraError(2296, "cannot enable (" + after_.owner + ".) - null values found");
      }
    }
    throw OraError(1449, "column contains NULL values; cannot alter to NOT NULL");
  }

  [[nodiscard]] bool has_null(const ColumnDef& column) const {
    bool found = false;
    const RowLayout layout(after_);
    const auto at = static_cast<std::size_t>(after_.find_column(column.name));
    Row row;
    visit_rows(segment_, [&](std::string_view image) {
      decode_row(layout, image, row);
      found = row[at].is_null();
      return !found;
    });
    return found;
  }

  /// Longest value in bytes or characters, and whether there is any value at all.
  struct Contents {
    bool any = false;
    std::size_t longest_bytes = 0, longest_chars = 0;
  };
  [[nodiscard]] Contents contents(const ColumnDef& column) const {
    Contents found;
    std::vector<Field> fields(column.stored_slot + 1U);
    visit_rows(segment_, [&](std::string_view image) {
      split_image(image, fields);
      const Field& field = fields[column.stored_slot];
      if (field.is_null()) return true;
      found.any = true;
      const auto chars = std::count_if(field.data, field.data + field.size, [](char c) {
        return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
      });
      found.longest_bytes = std::max(found.longest_bytes, field.size);
      found.longest_chars = std::max(found.longest_chars, static_cast<std::size_t>(chars));
      return true;
    });
    return found;
  }

  void check_type(const ColumnDef& old, const ColumnDef& column) const {
    const DataType &a = old.type, &b = column.type;
    const bool char_to_varchar = a.type == Type::kChar && b.type == Type::kVarchar2;
    if ((a.type != b.type && !char_to_varchar) || a.national != b.national) {
      if (contents(old).any) {
        throw OraError(1439, "column to be modified must be empty to change datatype");
      }
      return;
    }
    if (b.type == Type::kNumber && decreases(a, b) && contents(old).any) {
      throw OraError(1440, "column to be modified must be empty to decrease precision or scale");
    }
    if (b.size_bytes >= a.size_bytes && b.size_chars >= a.size_chars) return;
    const Contents now = contents(old);
    const bool by_chars = b.char_semantics || b.national;
    if (by_chars ? now.longest_chars > b.size_chars : now.longest_bytes > b.size_bytes) {
      throw OraError(1441, "cannot decrease column length because some value is too big");
    }
  }

  static bool decreases(const DataType& a, const DataType& b) {
    if (a.is_float != b.is_float) return b.has_precision;
    if (!b.has_precision && !b.has_scale) return false;
    if (!a.has_precision && !a.has_scale) return true;
    const int scale_a = a.has_scale ? a.scale : 0, scale_b = b.has_scale ? b.scale : 0;
    const int digits_a = (a.has_precision ? a.precision : 38) - scale_a;
    const int digits_b = (b.has_precision ? b.precision : 38) - scale_b;
    return scale_b < scale_a || digits_b < digits_a;
  }

  void check_constraint(const ConstraintDef& c) {
    const ConstraintDef* old = find_constraint(before_, c.name);
    if (!c.enabled || (old != nullptr && old->enabled && (old->validated || !c.validated))) return;
    if (c.kind == ConstraintKind::kPrimaryKey && has_duplicates(c.columns)) {
      throw OraError(2437, "cannot validate " + qualified(after_, c) + " - primary key violated");
    }
    if (c.kind == ConstraintKind::kUnique && has_duplicates(c.columns)) {
      throw OraError(2299, "cannot validate " + qualified(after_, c) + " - duplicate keys found");
    }
    if (c.kind == ConstraintKind::kForeignKey && c.validated && has_orphans(c)) {
      throw OraError(2298, "cannot validate " + qualified(after_, c) + " - parent keys not found");
    }
  }

  void check_index(const IndexDef& index) const {
    const bool known = before_ != nullptr &&
                       std::any_of(before_->indexes.begin(), before_->indexes.end(),
                                   [&](const auto& i) { return i.object_id == index.object_id; });
    if (!known && index.unique && !index.function_based && has_duplicates(index.columns)) {
      throw OraError(1452, "cannot CREATE UNIQUE INDEX; duplicate keys found");
    }
  }

  [[nodiscard]] bool has_duplicates(const std::vector<std::string>& columns) const {
    KeyExtractor extractor(key_parts(after_, columns));
    if (extractor.parts().empty()) return false;
    KeySet seen;
    std::string key;
    bool twice = false;
    visit_rows(segment_, [&](std::string_view image) {
      twice = extractor.key_of(image, key) && !seen.insert(key).second;
      return !twice;
    });
    return twice;
  }

  [[nodiscard]] bool has_orphans(const ConstraintDef& c) const {
    const auto parent = catalog_.find_table(c.ref_owner, c.ref_table);
    const SegmentPtr rows = parent ? segment_of_(parent->data_object_id) : nullptr;
    KeySet parents;
    std::string key;
    if (rows != nullptr) {
      KeyExtractor extractor(key_parts(*parent, c.ref_columns));
      visit_rows(*rows, [&](std::string_view image) {
        if (extractor.key_of(image, key)) parents.insert(key);
        return true;
      });
    }
    KeyExtractor extractor(key_parts(after_, c.columns));
    bool orphan = false;
    visit_rows(segment_, [&](std::string_view image) {
      orphan =
          extractor.key_of(image, key) && !extractor.last_key_has_null() && !parents.contains(key);
      return !orphan;
    });
    return orphan;
  }

  const Catalog& catalog_;
  const TableDef* before_;
  const TableDef& after_;
  const Segment& segment_;
  const SegmentOf& segment_of_;
};

}  // namespace

void validate_catalog_change(const Catalog& before, const Catalog& after,
                             const SegmentOf& segment_of) {
  std::unordered_map<std::uint32_t, const TableDef*> old;
  for (const auto& [name, table] : before.tables) old[table->data_object_id] = table.get();
  for (const auto& [name, table] : after.tables) {
    const auto was = old.find(table->data_object_id);
    if (was == old.end() || was->second == table.get()) continue;  // new tables hold no rows
    const SegmentPtr segment = segment_of(table->data_object_id);
    if (segment == nullptr || segment->row_slots() == 0) continue;
    TableValidator(after, was->second, *table, *segment, segment_of).run();
  }
}

}  // namespace orasim
