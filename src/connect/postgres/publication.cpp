#include "connect/postgres/publication.h"

#include <fmt/format.h>

#include <array>
#include <map>
#include <set>

#include "schema/postgres_ddl.h"

namespace wherry::postgres {
namespace {

using TableAdvice = connect::StreamAdvice::Table;

constexpr std::string_view kReadingPublication = "cannot read the publication";

/// What is published of one table.
struct Published {
  std::set<std::string, std::less<>> columns;  ///< empty: all, before version 15
  std::string row_filter;
};

// $1: its name. A row a column; since version 15 a publication may choose columns and rows.
constexpr const char* kChosenColumns = R"(
select p.schemaname, p.tablename, a.name, p.rowfilter
  from pg_catalog.pg_publication_tables p cross join lateral unnest(p.attnames) a (name)
 where p.pubname = $1)";
constexpr const char* kWholeTables = R"(
select schemaname, tablename, null, null from pg_catalog.pg_publication_tables where pubname = $1)";

Result<std::map<schema::TableRef, Published>> read_tables(OpContext& context,
                                                          Connection& connection,
                                                          const std::string& name) {
  const std::array parameters = {name};
  const char* sql = connection.server_version() >= 150000 ? kChosenColumns : kWholeTables;
  WHERRY_ASSIGN(const Rows rows, connection.query(context, kReadingPublication, sql, parameters));
  std::map<schema::TableRef, Published> out;
  for (int i = 0; i < rows.count(); ++i) {
    Published& table = out[{std::string(rows.text(i, 0)), std::string(rows.text(i, 1))}];
    if (!rows.is_null(i, 2)) table.columns.emplace(rows.text(i, 2));
    table.row_filter = rows.text(i, 3);
  }
  return out;
}

/// "update, delete": the kinds of changes that it does not publish.
Result<std::string> read_missing_kinds(OpContext& context, Connection& connection,
                                       const std::string& name) {
  const std::array parameters = {name};
  WHERRY_ASSIGN(
      const Rows rows,
      connection.query(context, kReadingPublication,
                       "select concat_ws(', ', case when not pubinsert then 'insert' end, "
                       "case when not pubupdate then 'update' end, "
                       "case when not pubdelete then 'delete' end, "
                       "case when not pubtruncate then 'truncate' end) "
                       "from pg_catalog.pg_publication where pubname = $1",
                       parameters));
  if (rows.count() != 0) return std::string(rows.text(0, 0));
  return make_error(ErrorKind::kConfig, "postgres.no_publication",
                    "the source has no publication " + name,
                    "Make it, or leave PublicationName out: the task makes its own");
}

Error not_published(const std::string& name, const schema::TableRef& table) {
  const auto quoted = schema::quote_table(table);
  return make_error(
             ErrorKind::kConfig, "postgres.not_published",
             "publication " + name + " does not have the table",
             fmt::format("alter publication {} add table {}; a partitioned table also needs set "
                         "(publish_via_partition_root = true), its partitions need false",
                         *schema::quote_identifier(name), quoted ? *quoted : to_text(table)))
      .with("table", to_text(table));
}

std::string missing_columns(const schema::TablePlan& plan, const Published& published) {
  std::string out;
  if (published.columns.empty()) return out;
  for (const schema::ColumnPlan& column : plan.columns) {
    if (published.columns.contains(column.source_name)) continue;
    out += (out.empty() ? "" : ", ") + column.source_name;
  }
  return out;
}

void check_table(const std::string& name, const schema::TablePlan& plan, const Published* published,
                 TableAdvice& out) {
  if (published == nullptr) {
    out.refused = not_published(name, plan.source);
    return;
  }
  const std::string missing = missing_columns(plan, *published);
  if (!missing.empty()) {
    out.refused = make_error(ErrorKind::kConfig, "postgres.not_published",
                             "publication " + name + " leaves columns out: " + missing,
                             "Publish all columns of the table, or remove these in the table "
                             "mappings")
                      .with("table", to_text(plan.source));
  }
  if (!published->row_filter.empty()) {
    out.warnings.push_back("publication " + name + " has only the changes of rows where " +
                           published->row_filter);
  }
}

}  // namespace

Result<void> check_publication(OpContext& context, Connection& connection, const std::string& name,
                               const std::vector<schema::TablePlanPtr>& plans,
                               connect::StreamAdvice& out) {
  WHERRY_ASSIGN(const std::string missing_kinds, read_missing_kinds(context, connection, name));
  if (!missing_kinds.empty()) {
    out.warnings.push_back("publication " + name + " does not publish: " + missing_kinds);
  }
  WHERRY_ASSIGN(const auto published, read_tables(context, connection, name));
  for (std::size_t i = 0; i < plans.size(); ++i) {
    if (out.tables[i].refused) continue;
    const auto found = published.find(plans[i]->source);
    check_table(name, *plans[i], found == published.end() ? nullptr : &found->second,
                out.tables[i]);
  }
  return {};
}

}  // namespace wherry::postgres
