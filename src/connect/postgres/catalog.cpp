#include "connect/postgres/catalog.h"

#include <map>

#include "connect/postgres/describe.h"
#include "connect/postgres/filter_sql.h"
#include "connect/postgres/tablespaces.h"

namespace wherry::postgres {
namespace {

schema::TableKind kind_of(char relkind) {
  switch (relkind) {
    case 'v':
      return schema::TableKind::kView;
    case 'm':
      return schema::TableKind::kMaterializedView;
    case 'f':
      return schema::TableKind::kForeignTable;
    default:
      return schema::TableKind::kTable;
  }
}

schema::TableDef to_table_def(const NativeTable& native) {
  schema::TableDef table;
  table.table = native.table;
  table.estimated_rows = native.estimated_rows;
  table.estimated_bytes = native.estimated_bytes;
  table.kind = kind_of(native.kind);
  for (const NativeColumn& column : native.columns) {
    schema::ColumnDef def;
    def.name = column.name;
    def.number = column.number;
    def.type = logical_type_of(column.type, column.type_name);
    def.native_type = column.type.name;
    def.nullable = !column.is_not_null;
    def.is_generated = column.is_generated;
    def.is_identity = column.is_identity;
    table.columns.push_back(std::move(def));
  }
  return table;
}

class PostgresCatalog : public connect::Catalog {
 public:
  PostgresCatalog(std::unique_ptr<ConnectionPool> pool, bool shows_leaves)
      : pool_(std::move(pool)), shows_leaves_(shows_leaves) {}

  Result<std::vector<schema::TableDef>> describe_tables(
      OpContext& context, const connect::TableFilter& filter) override {
    WHERRY_ASSIGN(std::unique_ptr<Connection> connection, pool_->acquire(context));
    WHERRY_ASSIGN(const std::vector<NativeTable> tables,
                  describe_schemas(context, *connection, filter.schemas, shows_leaves_));
    WHERRY_ASSIGN(std::vector<NativeKey> keys, describe_keys(context, *connection, filter.schemas));
    std::vector<schema::TableDef> out;
    std::map<schema::TableRef, std::size_t> places;
    for (const NativeTable& table : tables) {
      if (shows_leaves_ && table.kind == 'p') continue;
      if (!filter.views && schema::is_view(kind_of(table.kind))) continue;
      places.emplace(table.table, out.size());
      out.push_back(to_table_def(table));
    }
    for (NativeKey& key : keys) {
      const auto place = places.find(key.table);
      if (place != places.end()) out[place->second].keys.push_back(std::move(key.key));
    }
    if (filter.tablespaces) WHERRY_TRY(read_tablespaces(context, *connection, out));
    pool_->give_back(std::move(connection));
    return out;
  }

  Result<connect::FilterJudge> filter_judge(OpContext& context) override {
    WHERRY_ASSIGN(std::unique_ptr<Connection> connection, pool_->acquire(context));
    std::string encoding(connection->parameter("server_encoding"));
    pool_->give_back(std::move(connection));
    return connect::FilterJudge(
        [encoding = std::move(encoding)](const schema::ColumnFilter& filter,
                                         const schema::FilterCondition& condition) {
          return Result<schema::FilterSide>(judge_filter(filter, condition, encoding));
        });
  }

  Result<void> execute_ddl(OpContext& context, std::string_view statement) override {
    WHERRY_ASSIGN(std::unique_ptr<Connection> connection, pool_->acquire(context));
    WHERRY_TRY(connection->execute(context, "cannot run a statement", std::string(statement)));
    pool_->give_back(std::move(connection));
    return {};
  }

 private:
  const std::unique_ptr<ConnectionPool> pool_;
  const bool shows_leaves_;
};

}  // namespace

std::unique_ptr<connect::Catalog> make_catalog(std::unique_ptr<ConnectionPool> pool,
                                               bool shows_leaves) {
  return std::make_unique<PostgresCatalog>(std::move(pool), shows_leaves);
}

}  // namespace wherry::postgres
