#include "exec/logminer_text.h"

#include <algorithm>

#include "exec/types.h"

namespace orasim::logminer {
namespace {

std::string named(const std::string& name) {
  return "\"" + name + "\"";
}

std::string object_of(const TableText& table) {
  return named(table.owner) + "." + named(table.name);
}

std::string value_of(const TableText& table, const TableText::Column& column, const Row& row,
                     const TextOptions& options) {
  const Value& v = row[column.index];
  return table.is_known ? literal(v, column.type, options) : stored_literal(v, column.type);
}

/// Kept outside the row statement, so never compared with.
bool is_apart(const DataType& type) {
  return is_lob_payload(type.type) || is_long(type.type);
}

std::string ended(std::string text, const TextOptions& options) {
  return options.delimiter ? text + ";" : text;
}

/// Between the parts of a statement: PRINT_PRETTY_SQL puts each on a line of its own.
std::string gap(const TextOptions& options, const char* word, const char* spaced) {
  return options.pretty ? std::string("\n") + word + "\n    " : spaced;
}

std::vector<const TableText::Column*> stored_order(const std::vector<TableText::Column>& columns) {
  std::vector<const TableText::Column*> order;
  for (const TableText::Column& c : columns) order.push_back(&c);
  std::sort(order.begin(), order.end(),
            [](const auto* a, const auto* b) { return a->slot < b->slot; });
  return order;
}

}  // namespace

bool same_layout(const TableDef& then, const TableDef& now) {
  if (then.layout_version == now.layout_version) return true;
  const auto stored = [](const TableDef& t) {
    std::vector<const ColumnDef*> columns;
    for (const ColumnDef& c : t.columns) {
      if (!c.is_virtual) columns.push_back(&c);
    }
    return columns;
  };
  const auto a = stored(then), b = stored(now);
  return std::equal(
      a.begin(), a.end(), b.begin(), b.end(), [](const ColumnDef* x, const ColumnDef* y) {
        const DataType &s = x->type, &t = y->type;
        return x->stored_slot == y->stored_slot && s.type == t.type && s.national == t.national &&
               s.size_bytes == t.size_bytes && s.precision == t.precision && s.scale == t.scale;
      });
}

TableText table_text(const TableDef& then, const TableDef* now) {
  TableText text;
  text.is_known = now != nullptr && same_layout(then, *now);
  text.owner = now != nullptr ? now->owner : "UNKNOWN";
  text.name = now != nullptr ? now->name : "OBJ# " + std::to_string(then.object_id);
  for (std::size_t i = 0; i < then.columns.size(); ++i) {
    const ColumnDef& c = then.columns[i];
    if (c.is_virtual) continue;
    text.columns.push_back({c.name, c.type, i, c.stored_slot});
    if (!text.is_known) continue;
    for (const ColumnDef& same : now->columns) {
      if (!same.is_virtual && same.stored_slot == c.stored_slot)
        text.columns.back().name = same.name;
    }
  }
  if (text.is_known) return text;
  std::size_t number = 0;
  for (const TableText::Column* c : stored_order(text.columns)) {
    const auto at = static_cast<std::size_t>(c - text.columns.data());
    text.columns[at].name = "COL " + std::to_string(++number);
  }
  return text;
}

std::string where_text(const TableText& table, const Row& row, const SlotSet& slots,
                       const std::string& row_id, const TextOptions& options) {
  std::string out;
  const auto add = [&](const std::string& condition) {
    out += (out.empty() ? "" : options.pretty ? " and\n    " : " and ") + condition;
  };
  for (const TableText::Column& c : table.columns) {
    if (!slots.has(c.slot) || is_apart(c.type)) continue;
    const bool is_null = row[c.index].is_null();
    add(named(c.name) + (is_null ? " IS NULL" : " = " + value_of(table, c, row, options)));
  }
  if (!row_id.empty()) add("ROWID = '" + row_id + "'");
  return out;
}

std::string insert_text(const TableText& table, const Row& row, const TextOptions& options) {
  std::string names, values;
  for (const TableText::Column& c : table.columns) {
    if (c.type.type == Type::kXml) continue;
    if (!names.empty()) names += ",", values += ",";
    names += named(c.name);
    if (c.type.type == Type::kClob) {
      values += "EMPTY_CLOB()";
    } else if (c.type.type == Type::kBlob) {
      values += "EMPTY_BLOB()";
    } else {
      values += value_of(table, c, row, options);
    }
  }
  return ended("insert into " + object_of(table) + "(" + names + ") values (" + values + ")",
               options);
}

std::string update_text(const TableText& table, const Row& set, const SlotSet& slots,
                        const std::string& where, const TextOptions& options) {
  std::string assignments;
  for (const TableText::Column& c : table.columns) {
    if (!slots.has(c.slot) || c.type.type == Type::kXml) continue;
    if (!assignments.empty()) assignments += options.pretty ? ",\n    " : ", ";
    assignments += named(c.name) + " = " + value_of(table, c, set, options);
  }
  std::string out = "update " + object_of(table) + gap(options, "  set", " set ") + assignments;
  if (!where.empty()) out += gap(options, "  where", " where ") + where;
  return ended(out, options);
}

std::string delete_text(const TableText& table, const std::string& where,
                        const TextOptions& options) {
  std::string out = "delete from " + object_of(table);
  if (!where.empty()) out += gap(options, " where", " where ") + where;
  return ended(out, options);
}

}  // namespace orasim::logminer
