// TAB_COLUMNS, TAB_COLS, COL_COMMENTS, LOBS, TAB_IDENTITY_COLS.
#include <algorithm>

#include "store/dictionary_builder.h"

namespace orasim::dictionary {
namespace {

struct Item {
  const TableDef* table = nullptr;
  const ColumnDef* column = nullptr;
  std::int64_t visible_id = 0;  ///< COLUMN_ID; 0 for a hidden column
  std::int64_t internal_id = 0;
};

using Visit = std::function<bool(const Item&)>;

/// False: that is enough.
bool visit_table(const TableDef& table, bool hidden_too, const Visit& visit) {
  Item item{&table, nullptr, 0, 0};
  std::int64_t visible = 0;
  for (const ColumnDef& column : table.columns) {
    item.column = &column;
    ++item.internal_id;
    item.visible_id = column.is_hidden ? 0 : ++visible;
    if ((hidden_too || !column.is_hidden) && !visit(item)) return false;
  }
  return true;
}

/// A view as a table that has its columns.
TableDef as_table(const CodeDef& view) {
  TableDef out;
  out.owner = view.owner;
  out.name = view.name;
  out.columns = view.columns;
  for (ColumnDef& column : out.columns) {
    const auto comment = view.column_comments.find(column.name);
    if (comment != view.column_comments.end()) column.comment = comment->second;
  }
  return out;
}

void visit_columns(const DictionaryContext& c, bool hidden_too, const Visit& visit) {
  for (const auto& [key, table] : c.catalog.tables) {
    if (!visit_table(*table, hidden_too, visit)) return;
  }
}

void visit_with_views(const DictionaryContext& c, bool hidden_too, const Visit& visit) {
  for (const auto& [key, table] : c.catalog.tables) {
    if (!visit_table(*table, hidden_too, visit)) return;
  }
  for (const auto& [key, code] : c.catalog.code) {
    if (code->kind == "VIEW" && !visit_table(as_table(*code), hidden_too, visit)) return;
  }
}

std::string owner_of(const Item& i) {
  return i.table->owner;
}

ObjectName about(const Item& i) {
  return {i.table->owner, i.table->name};
}

bool is_character(const DataType& t) {
  return t.type == Type::kVarchar2 || t.type == Type::kChar;
}

Value precision(const DataType& t) {
  switch (t.type) {
    case Type::kNumber:
      return number_or_null(t.has_precision || t.is_float, t.precision);
    case Type::kIntervalYm:
    case Type::kIntervalDs:
      return number(t.precision);
    default:
      return make_null(Type::kNumber);
  }
}

Value scale(const DataType& t) {
  switch (t.type) {
    case Type::kNumber:
      return number_or_null(t.has_scale && !t.is_float, t.scale);
    case Type::kIntervalYm:
      return number(0);
    case Type::kTimestamp:
    case Type::kTimestampTz:
    case Type::kTimestampLtz:
    case Type::kIntervalDs:
      return number(t.scale);
    default:
      return make_null(Type::kNumber);
  }
}

const std::string& default_text(const ColumnDef& c) {
  return c.is_virtual ? c.virtual_sql : c.default_sql;
}

Value charset(const DataType& t) {
  if (!is_character(t) && t.type != Type::kClob && t.type != Type::kLong) return null();
  return text(t.national ? "NCHAR_CS" : "CHAR_CS");
}

Value char_used(const DataType& t) {
  if (!is_character(t)) return null();
  return text(t.national || t.char_semantics ? "C" : "B");
}

using Columns = std::vector<Column<Item>>;
using Context = DictionaryContext;

Columns common_head() {
  return {
      {"OWNER", Kind::kText, [](const Item& i, const Context&) { return text(i.table->owner); }},
      {"TABLE_NAME", Kind::kText,
       [](const Item& i, const Context&) { return text(i.table->name); }},
      {"COLUMN_NAME", Kind::kText,
       [](const Item& i, const Context&) { return text(i.column->name); }},
      {"DATA_TYPE", Kind::kText,
       [](const Item& i, const Context&) { return text(data_type_text(i.column->type)); }},
      {"DATA_TYPE_MOD", Kind::kText, [](const Item&, const Context&) { return null(); }},
      {"DATA_TYPE_OWNER", Kind::kText,
       [](const Item& i, const Context&) {
         const DataType& t = i.column->type;
         if (t.type == Type::kXml) return text("PUBLIC");
         return t.object ? text(t.object->owner) : null();
       }},
      {"DATA_LENGTH", Kind::kNumber,
       [](const Item& i, const Context&) { return number(data_length(i.column->type)); }},
      {"DATA_PRECISION", Kind::kNumber,
       [](const Item& i, const Context&) { return precision(i.column->type); }},
      {"DATA_SCALE", Kind::kNumber,
       [](const Item& i, const Context&) { return scale(i.column->type); }},
      {"NULLABLE", Kind::kText,
       [](const Item& i, const Context&) { return y_n(i.column->nullable); }},
      {"COLUMN_ID", Kind::kNumber,
       [](const Item& i, const Context&) {
         return number_or_null(i.visible_id > 0, i.visible_id);
       }},
      {"DEFAULT_LENGTH", Kind::kNumber,
       [](const Item& i, const Context&) {
         const auto size = static_cast<std::int64_t>(default_text(*i.column).size());
         return number_or_null(size > 0, size);
       }},
      {"DATA_DEFAULT", Kind::kLong,
       [](const Item& i, const Context&) { return long_text(default_text(*i.column)); }},
      {"NUM_DISTINCT", Kind::kNumber, [](const Item&, const Context&) { return null(); }},
      {"LOW_VALUE", Kind::kRaw, [](const Item&, const Context&) { return null(); }},
      {"HIGH_VALUE", Kind::kRaw, [](const Item&, const Context&) { return null(); }},
      {"DENSITY", Kind::kNumber, [](const Item&, const Context&) { return null(); }},
      {"NUM_NULLS", Kind::kNumber, [](const Item&, const Context&) { return null(); }},
      {"NUM_BUCKETS", Kind::kNumber, [](const Item&, const Context&) { return null(); }},
      {"LAST_ANALYZED", Kind::kDate, [](const Item&, const Context&) { return null(); }},
      {"SAMPLE_SIZE", Kind::kNumber, [](const Item&, const Context&) { return null(); }},
      {"CHARACTER_SET_NAME", Kind::kText,
       [](const Item& i, const Context&) { return charset(i.column->type); }},
      {"CHAR_COL_DECL_LENGTH", Kind::kNumber,
       [](const Item& i, const Context&) {
         return number_or_null(is_character(i.column->type), data_length(i.column->type));
       }},
      {"GLOBAL_STATS", Kind::kText, [](const Item&, const Context&) { return yes_no(false); }},
      {"USER_STATS", Kind::kText, [](const Item&, const Context&) { return yes_no(false); }},
      {"AVG_COL_LEN", Kind::kNumber, [](const Item&, const Context&) { return null(); }},
      {"CHAR_LENGTH", Kind::kNumber,
       [](const Item& i, const Context&) {
         return number(is_character(i.column->type) ? i.column->type.size_chars : 0);
       }},
      {"CHAR_USED", Kind::kText,
       [](const Item& i, const Context&) { return char_used(i.column->type); }},
      {"V80_FMT_IMAGE", Kind::kText, [](const Item&, const Context&) { return yes_no(false); }},
      {"DATA_UPGRADED", Kind::kText, [](const Item&, const Context&) { return yes_no(true); }},
  };
}

Columns only_in_tab_cols() {
  return {
      {"HIDDEN_COLUMN", Kind::kText,
       [](const Item& i, const Context&) { return yes_no(i.column->is_hidden); }},
      {"VIRTUAL_COLUMN", Kind::kText,
       [](const Item& i, const Context&) { return yes_no(i.column->is_virtual); }},
      {"SEGMENT_COLUMN_ID", Kind::kNumber,
       [](const Item& i, const Context&) {
         return number_or_null(!i.column->is_virtual, i.column->stored_slot + 1);
       }},
      {"INTERNAL_COLUMN_ID", Kind::kNumber,
       [](const Item& i, const Context&) { return number(i.internal_id); }},
  };
}

Columns common_tail() {
  return {
      {"DEFAULT_ON_NULL", Kind::kText,
       [](const Item& i, const Context&) { return yes_no(i.column->default_on_null); }},
      {"IDENTITY_COLUMN", Kind::kText,
       [](const Item& i, const Context&) { return yes_no(i.column->is_identity); }},
      {"EVALUATION_EDITION", Kind::kText, [](const Item&, const Context&) { return null(); }},
      {"UNUSABLE_BEFORE", Kind::kText, [](const Item&, const Context&) { return null(); }},
      {"UNUSABLE_BEGINNING", Kind::kText, [](const Item&, const Context&) { return null(); }},
      {"COLLATION", Kind::kText,
       [](const Item& i, const Context&) {
         return is_character(i.column->type) ? text("USING_NLS_COMP") : null();
       }},
  };
}

Column<Item> histogram() {
  return {"HISTOGRAM", Kind::kText, [](const Item&, const Context&) { return text("NONE"); }};
}

void append(Columns& to, const Columns& more) {
  to.insert(to.end(), more.begin(), more.end());
}

std::string identity_options(const SequenceDef& s) {
  return "START WITH: " + s.start_with.to_string() +
         ", INCREMENT BY: " + s.increment_by.to_string() +
         ", MAX_VALUE: " + s.max_value.to_string() + ", MIN_VALUE: " + s.min_value.to_string() +
         ", CYCLE_FLAG: " + (s.cycle ? "Y" : "N") +
         ", CACHE_SIZE: " + std::to_string(s.cache_size) +
         ", ORDER_FLAG: " + (s.order ? "Y" : "N") +
         ", SCALE_FLAG: N, EXTEND_FLAG: N, SESSION_FLAG: N, KEEP_VALUE: N";
}

void add_lobs(Registry& r) {
  const Items<Item> lobs = [](const Context& c, const std::function<bool(const Item&)>& visit) {
    visit_columns(c, true, [&](const Item& i) {
      const Type t = i.column->type.type;
      return !is_lob_payload(t) || t == Type::kObject || visit(i);
    });
  };
  const auto lob_name = [](const Item& i, const char* prefix) {
    std::string object = std::to_string(i.table->object_id);
    object.insert(0, 10 - std::min<std::size_t>(object.size(), 10), '0');
    std::string column = std::to_string(i.internal_id);
    column.insert(0, 5 - std::min<std::size_t>(column.size(), 5), '0');
    return prefix + object + "C" + column + "$$";
  };
  Columns columns = common_head();
  columns.resize(3);
  append(
      columns,
      {{"SEGMENT_NAME", Kind::kText,
        [lob_name](const Item& i, const Context&) { return text(lob_name(i, "SYS_LOB")); }},
       {"TABLESPACE_NAME", Kind::kText, [](const Item&, const Context&) { return text("USERS"); }},
       {"INDEX_NAME", Kind::kText,
        [lob_name](const Item& i, const Context&) { return text(lob_name(i, "SYS_IL")); }},
       {"CHUNK", Kind::kNumber, [](const Item&, const Context&) { return number(8192); }},
       {"CACHE", Kind::kText, [](const Item&, const Context&) { return text("NO"); }},
       {"LOGGING", Kind::kText, [](const Item&, const Context&) { return text("YES"); }},
       {"ENCRYPT", Kind::kText, [](const Item&, const Context&) { return text("NO"); }},
       {"COMPRESSION", Kind::kText, [](const Item&, const Context&) { return text("NO"); }},
       {"DEDUPLICATION", Kind::kText, [](const Item&, const Context&) { return text("NO"); }},
       {"IN_ROW", Kind::kText, [](const Item&, const Context&) { return text("YES"); }},
       {"PARTITIONED", Kind::kText,
        [](const Item& i, const Context&) { return yes_no(!i.table->partition_by.empty()); }},
       {"SECUREFILE", Kind::kText, [](const Item&, const Context&) { return text("YES"); }}});
  r.add_family<Item>("LOBS", lobs, columns, owner_of, {"OWNER"}, about);
}

void add_identity(Registry& r) {
  const Items<Item> identity = [](const Context& c, const std::function<bool(const Item&)>& visit) {
    visit_columns(c, true, [&](const Item& i) { return !i.column->is_identity || visit(i); });
  };
  Columns columns = common_head();
  columns.resize(3);
  append(columns,
         {{"GENERATION_TYPE", Kind::kText,
           [](const Item& i, const Context&) {
             return text(i.column->identity_always ? "ALWAYS" : "BY DEFAULT");
           }},
          {"SEQUENCE_NAME", Kind::kText,
           [](const Item& i, const Context&) { return text(i.column->identity_sequence); }},
          {"IDENTITY_OPTIONS", Kind::kText, [](const Item& i, const Context& c) {
             const auto s = c.catalog.find_sequence(i.table->owner, i.column->identity_sequence);
             return s == nullptr ? null() : text(identity_options(*s));
           }}});
  r.add_family<Item>("TAB_IDENTITY_COLS", identity, columns, owner_of, {"OWNER"}, about);
}

}  // namespace

void add_column_views(Registry& r) {
  const Items<Item> visible = [](const Context& c, const Visit& visit) {
    visit_with_views(c, false, visit);
  };
  const Items<Item> all = [](const Context& c, const Visit& visit) {
    visit_with_views(c, true, visit);
  };
  Columns columns = common_head();
  columns.push_back(histogram());
  append(columns, common_tail());
  r.add_family<Item>("TAB_COLUMNS", visible, columns, owner_of, {"OWNER"}, about);
  Columns cols = common_head();
  append(cols, only_in_tab_cols());
  cols.push_back(histogram());
  append(cols, {{"QUALIFIED_COL_NAME", Kind::kText,
                 [](const Item& i, const Context&) { return text(i.column->name); }},
                {"USER_GENERATED", Kind::kText,
                 [](const Item&, const Context&) { return yes_no(true); }}});
  append(cols, common_tail());
  r.add_family<Item>("TAB_COLS", all, cols, owner_of, {"OWNER"}, about);
  Columns comments = common_head();
  comments.resize(3);
  append(comments,
         {{"COMMENTS", Kind::kText,
           [](const Item& i, const Context&) { return text(i.column->comment); }},
          {"ORIGIN_CON_ID", Kind::kNumber, [](const Item&, const Context&) { return number(0); }}});
  r.add_family<Item>("COL_COMMENTS", visible, comments, owner_of, {"OWNER"}, about);
  add_lobs(r);
  add_identity(r);
}

}  // namespace orasim::dictionary
