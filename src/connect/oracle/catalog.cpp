#include "connect/oracle/catalog.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "connect/oracle/catalog_rows.h"
#include "connect/oracle/errors.h"
#include "connect/oracle/filter_sql.h"

namespace wherry::oracle {
namespace {

/// Oracle's limit for one IN list is 1000; a filter of more schemas is read without one.
constexpr std::size_t kMaxListedOwners = 1000;

std::string owner_predicate(const connect::TableFilter& filter) {
  if (filter.schemas.empty() || filter.schemas.size() > kMaxListedOwners) {
    return "owner in (select username from all_users where oracle_maintained = 'N')";
  }
  std::string list;
  for (std::size_t i = 0; i < filter.schemas.size(); ++i) {
    list += fmt::format("{}:{}", i == 0 ? "" : ", ", i + 1);
  }
  return "owner in (" + list + ")";
}

std::string with_owners(std::string_view sql, const std::string& predicate) {
  static constexpr std::string_view kPlace = "{owners}";
  std::string text(sql);
  text.replace(text.find(kPlace), kPlace.size(), predicate);
  return text;
}

class OracleCatalog final : public connect::Catalog {
 public:
  OracleCatalog(std::unique_ptr<Session> session, std::optional<int> number_scale,
                bool exposes_views)
      : session_(std::move(session)), number_scale_(number_scale), exposes_views_(exposes_views) {}

  Result<std::vector<schema::TableDef>> describe_tables(
      OpContext& context, const connect::TableFilter& filter) override {
    const std::string predicate = owner_predicate(filter);
    std::vector<Bind> binds;
    if (predicate.find(':') != std::string::npos) {
      for (const std::string& schema : filter.schemas) binds.push_back(Bind::text(schema));
    }
    WHERRY_ASSIGN(auto tables, session_->rows(context, with_owners(kTablesSql, predicate), binds));
    const std::size_t table_count = tables.size();
    if (filter.views) {
      WHERRY_ASSIGN(auto views, session_->rows(context, with_owners(kViewsSql, predicate), binds));
      std::move(views.begin(), views.end(), std::back_inserter(tables));
    }
    WHERRY_ASSIGN(const auto columns,
                  session_->rows(context, with_owners(kColumnsSql, predicate), binds));
    WHERRY_ASSIGN(const auto keys,
                  session_->rows(context, with_owners(kKeysSql, predicate), binds));
    WHERRY_ASSIGN(auto assembled, assemble_tables(tables, columns, keys));
    for (std::size_t i = table_count; i < assembled.size(); ++i) {
      assembled[i].kind = schema::TableKind::kView;
      if (!exposes_views_) assembled[i].missing_setting = "ExposeViews=true";
    }
    WHERRY_TRY(read_sizes(context, predicate, binds, assembled));
    if (filter.tablespaces) WHERRY_TRY(read_tablespaces(context, predicate, binds, assembled));
    for (schema::TableDef& table : assembled) {
      for (schema::ColumnDef& column : table.columns) {
        if (column.native_type == "NUMBER") column.number_scale = number_scale_;
      }
    }
    return assembled;
  }

  Result<connect::FilterJudge> filter_judge(OpContext&) override {
    return connect::FilterJudge(
        [charset = session_->server().database_charset](const schema::ColumnFilter& filter,
                                                        const schema::FilterCondition& condition) {
          return judge_filter(filter, condition, charset);
        });
  }

  Result<void> execute_ddl(OpContext& context, std::string_view statement) override {
    WHERRY_ASSIGN(const ExecResult result, session_->execute(context, statement));
    static_cast<void>(result);
    return {};
  }

 private:
  Result<void> read_sizes(OpContext& context, const std::string& predicate,
                          const std::vector<Bind>& binds, std::vector<schema::TableDef>& tables) {
    auto sizes = session_->rows(context, with_owners(kSizesSql, predicate), binds);
    if (sizes.ok()) return set_sizes(tables, *sizes);
    // Most accounts may not read the view; statistics do then.
    const std::string& code = sizes.error().native_code;
    if (code == ora_code(942) || code == ora_code(1031)) return {};
    return std::move(sizes).error();
  }

  Result<void> read_tablespaces(OpContext& context, const std::string& predicate,
                                const std::vector<Bind>& binds,
                                std::vector<schema::TableDef>& tables) {
    for (const char* sql : {kTablespacesSql, kPartitionTablespacesSql, kKeyTablespacesSql}) {
      WHERRY_ASSIGN(const auto rows, session_->rows(context, with_owners(sql, predicate), binds));
      set_tablespaces(tables, rows);
    }
    return {};
  }

  std::unique_ptr<Session> session_;
  const std::optional<int> number_scale_;
  const bool exposes_views_;
};

}  // namespace

std::unique_ptr<connect::Catalog> make_catalog(std::unique_ptr<Session> session,
                                               std::optional<int> number_scale,
                                               bool exposes_views) {
  return std::make_unique<OracleCatalog>(std::move(session), number_scale, exposes_views);
}

}  // namespace wherry::oracle
