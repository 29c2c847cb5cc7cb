// Prints the rows of a query, one JSON array a line; the first line holds the columns.
//
// usage: dump_query HOST:PORT/SERVICE USER 'select …'      (password in ORACLE_PASSWORD)
#include <cstdlib>
#include <iostream>
#include <nlohmann/json.hpp>

#include "connect/oracle/client.h"
#include "connect/oracle/value_text.h"
#include "core/spill_file.h"

using namespace wherry;          // NOLINT(google-build-using-namespace)
using namespace wherry::oracle;  // NOLINT(google-build-using-namespace)

namespace {

/// Values above FetchOptions::lob_inline_max_bytes wait in a file.
std::string spilled_text(const Cell& cell) {
  const auto& spilled = *reinterpret_cast<const SpilledValue*>(cell.payload.ptr);
  std::string text(spilled.size_bytes, '\0');
  auto read = spilled.file->read(spilled.offset_bytes, std::as_writable_bytes(std::span(text)));
  if (!read.ok()) return {};
  Cell whole = cell;
  whole.state = CellState::kSet;
  whole.size_bytes = static_cast<std::uint32_t>(text.size());
  whole.payload.ptr = reinterpret_cast<const std::byte*>(text.data());
  return value_text(whole).value_or(std::string());
}

nlohmann::json json_of(const Cell& cell) {
  if (cell.state == CellState::kSpilled) return spilled_text(cell);
  const auto text = value_text(cell);
  return text ? nlohmann::json(*text) : nlohmann::json();
}

Result<void> dump(Session& session, OpContext& context, const std::string& sql) {
  WHERRY_ASSIGN(const std::unique_ptr<Query> query, session.query(context, sql));
  std::vector<CellKind> kinds;
  nlohmann::json names = nlohmann::json::array();
  for (const ColumnDescription& column : query->columns()) {
    kinds.push_back(natural_kind(column).value_or(CellKind::kText));
    names.push_back({{"name", column.name}, {"type", type_text(column)}});
  }
  std::cout << names.dump() << '\n';
  RowBatch batch;
  FetchState state = FetchState::kMore;
  while (state == FetchState::kMore) {
    WHERRY_ASSIGN(state, query->fetch(context, kinds, batch));
    for (std::size_t r = 0; r < batch.row_count(); ++r) {
      nlohmann::json row = nlohmann::json::array();
      for (std::size_t c = 0; c < batch.column_count(); ++c) row.push_back(json_of(batch.at(r, c)));
      std::cout << row.dump() << '\n';
    }
  }
  return {};
}

Result<void> run(const char* address, const char* user, const char* sql) {
  ConnectOptions options;
  options.connect_string = address;
  options.user = user;
  const char* const password = std::getenv("ORACLE_PASSWORD");
  options.password = Secret(password != nullptr ? password : "");
  options.program = "dump_query";
  OpContext context;
  WHERRY_ASSIGN(const std::unique_ptr<Session> session, Session::connect(context, options));
  WHERRY_TRY(dump(*session, context, sql));
  return session->close(context);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::cerr << "usage: dump_query HOST:PORT/SERVICE USER SQL\n";
    return 2;
  }
  const auto done = run(argv[1], argv[2], argv[3]);
  if (done.ok()) return 0;
  std::cerr << done.error().to_paragraph() << '\n';
  return 1;
}
