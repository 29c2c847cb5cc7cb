#include "connect/oracle/catalog_rows.h"

#include <charconv>
#include <map>

#include "connect/oracle/type_map.h"

namespace wherry::oracle {

// Left out: temporary tables (their rows belong to sessions), nested table storage, overflow
// segments of index-organized tables, the recycle bin, logs of materialized views.
const char* const kTablesSql = R"(
select owner, table_name, num_rows, avg_row_len, blocks
  from all_tables
 where {owners}
   and temporary = 'N' and nested = 'NO' and secondary = 'N' and dropped = 'NO'
   and (iot_type is null or iot_type = 'IOT')
   and table_name not like 'BIN$%' and table_name not like 'MLOG$\_%' escape '\'
   and table_name not like 'RUPD$\_%' escape '\'
 order by owner, table_name)";

// A view has no size and no statistics of its own. The columns are those of kTablesSql.
const char* const kViewsSql = R"(
select owner, view_name, null, null, null
  from all_views
 where {owners}
 order by owner, view_name)";

const char* const kColumnsSql = R"(
select owner, table_name, column_name, data_type, data_type_owner, data_length, data_precision,
       data_scale, nullable, char_length, char_used, virtual_column, identity_column
  from all_tab_cols
 where {owners}
   and hidden_column = 'NO'
 order by owner, table_name, column_id)";

const char* const kKeysSql = R"(
select c.owner, c.table_name, c.constraint_name, c.constraint_type, k.column_name
  from all_constraints c
  join all_cons_columns k on k.owner = c.owner and k.constraint_name = c.constraint_name
                         and k.table_name = c.table_name
 where c.{owners}
   and c.constraint_type in ('P', 'U') and c.status = 'ENABLED'
 order by c.owner, c.table_name, c.constraint_type, c.constraint_name, k.position)";

const char* const kTablespacesSql = R"(
select owner, table_name, null, tablespace_name
  from all_tables
 where {owners}
   and tablespace_name is not null)";

const char* const kPartitionTablespacesSql = R"(
select owner, table_name, null, def_tablespace_name
  from all_part_tables
 where {owners})";

const char* const kKeyTablespacesSql = R"(
select c.owner, c.table_name, c.constraint_name, i.tablespace_name
  from all_constraints c
  join all_indexes i on i.owner = nvl(c.index_owner, c.owner) and i.index_name = c.index_name
 where c.{owners}
   and c.constraint_type in ('P', 'U') and i.tablespace_name is not null)";

const char* const kSizesSql = R"(
select owner, segment_name, sum(bytes)
  from dba_segments
 where {owners}
   and segment_type in ('TABLE', 'TABLE PARTITION', 'TABLE SUBPARTITION')
 group by owner, segment_name)";

namespace {

constexpr std::uint64_t kAssumedBlockBytes = 8192;  // Oracle's default; only an estimate needs it

using TableIndex = std::map<schema::TableRef, std::size_t>;

std::string text(const TextRow& row, std::size_t i) {
  return row[i].value_or("");
}

Result<std::optional<std::int64_t>> number(const TextRow& row, std::size_t i) {
  if (!row[i]) return std::optional<std::int64_t>{};
  const std::string& digits = *row[i];
  std::int64_t value = 0;
  const auto [end, status] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (status != std::errc{} || end != digits.data() + digits.size()) {
    return make_error(ErrorKind::kInternal, "oracle.dictionary_row",
                      "a dictionary view holds a number that cannot be read",
                      "Report this with the server's version")
        .with("object", text(row, 0) + "." + text(row, 1));
  }
  return std::optional<std::int64_t>{value};
}

Result<schema::TableDef> table_of(const TextRow& row) {
  WHERRY_ASSIGN(const auto rows, number(row, 2));
  WHERRY_ASSIGN(const auto row_bytes, number(row, 3));
  WHERRY_ASSIGN(const auto blocks, number(row, 4));
  schema::TableDef table;
  table.table = {text(row, 0), text(row, 1)};
  table.estimated_rows = static_cast<std::uint64_t>(std::max<std::int64_t>(0, rows.value_or(0)));
  table.estimated_bytes = rows && row_bytes
                              ? static_cast<std::uint64_t>(*rows * *row_bytes)
                              : static_cast<std::uint64_t>(blocks.value_or(0)) * kAssumedBlockBytes;
  return table;
}

Result<schema::ColumnDef> column_of(const TextRow& row) {
  NativeType native;
  native.name = text(row, 3);
  native.owner = text(row, 4);
  WHERRY_ASSIGN(const auto length, number(row, 5));
  WHERRY_ASSIGN(const auto precision, number(row, 6));
  WHERRY_ASSIGN(const auto scale, number(row, 7));
  WHERRY_ASSIGN(const auto characters, number(row, 9));
  native.length_bytes = static_cast<std::uint32_t>(length.value_or(0));
  native.length_chars = static_cast<std::uint32_t>(characters.value_or(0));
  native.char_semantics = text(row, 10) == "C";
  if (precision) native.precision = static_cast<int>(*precision);
  if (scale) native.scale = static_cast<int>(*scale);
  schema::ColumnDef column;
  column.name = text(row, 2);
  column.type = to_logical(native);
  column.native_type = to_text(native);
  column.nullable = text(row, 8) != "N";
  column.is_generated = text(row, 11) == "YES";
  column.is_identity = text(row, 12) == "YES";
  return column;
}

}  // namespace

Result<std::vector<schema::TableDef>> assemble_tables(const std::vector<TextRow>& tables,
                                                      const std::vector<TextRow>& columns,
                                                      const std::vector<TextRow>& keys) {
  std::vector<schema::TableDef> result;
  TableIndex index;
  for (const TextRow& row : tables) {
    WHERRY_ASSIGN(schema::TableDef table, table_of(row));
    index.emplace(table.table, result.size());
    result.push_back(std::move(table));
  }
  // The column view also lists clusters, and views that nobody asked for.
  for (const TextRow& row : columns) {
    const auto found = index.find({text(row, 0), text(row, 1)});
    if (found == index.end()) continue;
    WHERRY_ASSIGN(schema::ColumnDef column, column_of(row));
    result[found->second].columns.push_back(std::move(column));
  }
  for (const TextRow& row : keys) {
    const auto found = index.find({text(row, 0), text(row, 1)});
    if (found == index.end()) continue;
    auto& defs = result[found->second].keys;
    const std::string name = text(row, 2);
    if (defs.empty() || defs.back().name != name) {
      defs.push_back({name, {}, text(row, 3) == "P"});
    }
    defs.back().columns.push_back(text(row, 4));
  }
  return result;
}

void set_tablespaces(std::vector<schema::TableDef>& tables, const std::vector<TextRow>& rows) {
  TableIndex index;
  for (std::size_t i = 0; i < tables.size(); ++i) index.emplace(tables[i].table, i);
  for (const TextRow& row : rows) {
    const auto found = index.find({text(row, 0), text(row, 1)});
    if (found == index.end()) continue;
    schema::TableDef& table = tables[found->second];
    if (!row[2]) table.tablespace = text(row, 3);
    for (schema::KeyDef& key : table.keys) {
      if (key.name == row[2]) key.tablespace = text(row, 3);
    }
  }
}

Result<void> set_sizes(std::vector<schema::TableDef>& tables, const std::vector<TextRow>& sizes) {
  TableIndex index;
  for (std::size_t i = 0; i < tables.size(); ++i) index.emplace(tables[i].table, i);
  for (const TextRow& row : sizes) {
    const auto found = index.find({text(row, 0), text(row, 1)});
    if (found == index.end()) continue;
    WHERRY_ASSIGN(const auto bytes, number(row, 2));
    tables[found->second].estimated_bytes = static_cast<std::uint64_t>(bytes.value_or(0));
  }
  return {};
}

}  // namespace wherry::oracle
