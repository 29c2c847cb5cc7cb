#include "connect/oracle/changes/row_images.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "connect/oracle/errors.h"
#include "connect/oracle/type_map.h"

namespace wherry::oracle {
namespace {

FetchOptions with_exact_lobs(FetchOptions options) {
  options.lob_mode = LobMode::kPrefetch;  // empty LOBs are told from NULL for certain
  options.keep_bad_values = true;
  return options;
}

/// The undo, the LOB's old versions or the table's old definition are gone, or the table is.
bool is_gone(const Error& error) {
  constexpr std::array kGone = {1555, 8181, 1466, 22924, 8103, 8176, 942, 904, 1410};
  return std::any_of(kGone.begin(), kGone.end(),
                     [&](int code) { return error.native_code == ora_code(code); });
}

}  // namespace

RowImages::RowImages(const EndpointOptions& options)
    : fetch_(with_exact_lobs(options.fetch)), pool_(options.connect) {}

Result<std::shared_ptr<RowBatch>> RowImages::read(OpContext& context, const schema::TableDef& table,
                                                  const std::vector<std::size_t>& columns,
                                                  std::string_view row_id, std::uint64_t scn) {
  std::string list;
  std::vector<CellKind> wanted;
  for (const std::size_t index : columns) {
    const schema::ColumnDef& column = table.columns[index];
    list += (list.empty() ? "" : ", ") + select_expression(column.type, "\"" + column.name + "\"");
    wanted.push_back(schema::cell_kind_of(column.type));
  }
  const std::string sql =
      fmt::format("select {} from \"{}\".\"{}\" as of scn {} where rowid = chartorowid(:1)", list,
                  table.table.schema, table.table.name, scn);
  const std::array binds = {Bind::text(row_id)};
  WHERRY_ASSIGN(auto session, pool_.acquire(context));
  auto out = std::make_shared<RowBatch>();
  auto done = [&]() -> Result<void> {
    WHERRY_ASSIGN(const auto query, session->query(context, sql, binds, fetch_));
    WHERRY_ASSIGN(const FetchState state, query->fetch(context, wanted, *out));
    static_cast<void>(state);  // a ROWID is one row's
    return {};
  }();
  if (!done.ok()) {
    if (!is_gone(done.error())) return std::move(done).error();
    return make_error(
        ErrorKind::kData, "oracle.row_gone",
        "values that LogMiner does not show cannot be read any more: " + done.error().to_log_text(),
        "Load the table again; raise UNDO_RETENTION at the source");
  }
  pool_.give_back(std::move(session));
  return out;
}

}  // namespace wherry::oracle
