// Stores standard input as a BLOB of a row, in pieces, and writes it back to standard output: of a
// file of any size, little is in memory. Shows temporary LOBs, RETURNING, OUT binds of a block and
// an array of rows of which some are bad.
//
// usage: store_file HOST:PORT/SERVICE USER NAME < FILE      (password in ORACLE_PASSWORD)
#include <cstdlib>
#include <iostream>
#include <vector>

#include "connect/oracle/client.h"

using namespace wherry;          // NOLINT(google-build-using-namespace)
using namespace wherry::oracle;  // NOLINT(google-build-using-namespace)

namespace {

constexpr std::size_t kPieceBytes = 64 * 1024;

Result<void> fill(OpContext& context, Lob& lob) {
  std::vector<char> piece(kPieceBytes);
  std::uint64_t offset = 0;
  while (std::cin.read(piece.data(), static_cast<std::streamsize>(piece.size())),
         std::cin.gcount() > 0) {
    const std::string_view data(piece.data(), static_cast<std::size_t>(std::cin.gcount()));
    WHERRY_ASSIGN(const std::uint64_t written, lob.write(context, offset, data));
    offset += written;
  }
  return {};
}

/// One row twice: the second breaks the primary key, and is told instead of failing the others.
Result<void> store(Session& session, OpContext& context, const std::string& name) {
  WHERRY_ASSIGN(const std::unique_ptr<Lob> lob,
                session.create_temporary_lob(context, OracleType::kBlob));
  WHERRY_TRY(fill(context, *lob));
  const BindRow row = {Bind::text(name), Bind::lob(*lob)};
  const std::vector<BindRow> rows = {row, row};
  ExecuteOptions options;
  options.batch_errors = true;
  options.commit = true;
  WHERRY_ASSIGN(const ExecResult done,
                session.execute_array(context,
                                      "insert into stored_files (name, content) "
                                      "values (:1, :2)",
                                      rows, options));
  std::cerr << done.row_count << " row stored\n";
  for (const BatchError& error : done.batch_errors) {
    std::cerr << "row " << error.row << ": " << error.text << '\n';
  }
  return {};
}

Result<void> describe(Session& session, OpContext& context, const std::string& name) {
  const Bind binds[] = {Bind::out(OracleType::kNumber), Bind::text(name)};
  WHERRY_ASSIGN(const ExecResult done,
                session.execute(context,
                                "begin select dbms_lob.getlength(content) into :1 "
                                "from stored_files where name = :2; end;",
                                binds));
  std::cerr << done.out[0].value_or("no") << " bytes\n";
  return {};
}

Result<void> read_back(Session& session, OpContext& context, const std::string& name) {
  FetchOptions options;
  options.lob_mode = LobMode::kHandle;
  const Bind binds[] = {Bind::text(name)};
  WHERRY_ASSIGN(
      const std::unique_ptr<Query> query,
      session.query(context, "select content from stored_files where name = :1", binds, options));
  const ColumnDescription column = query->columns()[0];
  const CellKind kinds[] = {CellKind::kBytes};
  RowBatch batch;
  WHERRY_TRY(query->fetch(context, kinds, batch));
  if (batch.empty() || batch.at(0, 0).is_null()) return {};
  const std::unique_ptr<Lob> lob = session.open_lob(column, batch.at(0, 0).bytes());
  WHERRY_TRY(lob->read(context, 0, UINT64_MAX, [](std::string_view piece) -> Result<void> {
    std::cout << piece;
    return {};
  }));
  return {};
}

Result<void> run(const char* address, const char* user, const std::string& name) {
  ConnectOptions options;
  options.connect_string = address;
  options.user = user;
  const char* const password = std::getenv("ORACLE_PASSWORD");
  options.password = Secret(password != nullptr ? password : "");
  options.program = "store_file";
  OpContext context;
  WHERRY_ASSIGN(const std::unique_ptr<Session> session, Session::connect(context, options));
  WHERRY_TRY(session->execute(
      context, "create table stored_files (name varchar2(200) primary key, content blob)"));
  WHERRY_TRY(store(*session, context, name));
  WHERRY_TRY(describe(*session, context, name));
  WHERRY_TRY(read_back(*session, context, name));
  return session->close(context);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::cerr << "usage: store_file HOST:PORT/SERVICE USER NAME < FILE\n";
    return 2;
  }
  std::ios::sync_with_stdio(false);
  const auto done = run(argv[1], argv[2], argv[3]);
  if (done.ok()) return 0;
  std::cerr << done.error().to_paragraph() << '\n';
  return 1;
}
