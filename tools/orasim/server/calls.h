// The calls of one logged-in session: reads requests, runs them in the engine, writes responses.
// One thread; only the break watch touches the engine session besides (cancel).
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/session.h"
#include "server/authenticator.h"
#include "server/bfile.h"
#include "server/break_watch.h"
#include "server/channel.h"
#include "server/cursor.h"
#include "server/lob_table.h"
#include "server/login.h"
#include "wire/request.h"

namespace orasim::server {

class Calls {
 public:
  Calls(Channel& channel, const Shared& shared, BreakWatch& watch, Login login);

  ~Calls();
  Calls(const Calls&) = delete;
  Calls& operator=(const Calls&) = delete;

  /// Serves until log-off and the end of the connection; throws Closed or wire::BadMessage then.
  void run();

 private:
  // One request.
  void serve_request();
  void read_and_run(wire::Reader&, std::uint32_t& failed_cursor);
  void run_function(wire::Reader&, const wire::FunctionHeader&, std::uint32_t& failed_cursor);
  void run_simple(wire::Function);
  void apply_piggybacks();
  void apply(const wire::Piggyback&);

  // Statements.
  void execute(wire::ExecuteRequest, std::uint32_t& failed_cursor);
  void reexecute(wire::ReexecuteRequest, std::uint32_t& failed_cursor);
  void fetch(const wire::FetchRequest&);
  Cursor& parse(const wire::ExecuteRequest&);
  void use_bind_types(Cursor&, const wire::ExecuteRequest&);
  void describe(Cursor&);
  void refresh_if_stale(Cursor&);
  struct Run {
    std::vector<wire::BindRow> binds;
    std::uint32_t executions = 1;
    ExecuteOptions options;
    bool wants_row_counts = false;
    bool returning_vector = false;  ///< DML: an I/O vector tells the RETURNING binds
    bool first = true;              ///< PL/SQL: the reply has an I/O vector
  };
  wire::CallStatus run_query(Cursor&, const Run&);
  wire::CallStatus run_statement(Cursor&, const Run&);
  wire::CallStatus run_dml(Cursor&, const Run&);
  wire::CallStatus run_plsql(Cursor&, const Run&);
  void write_out_binds(Cursor&, const ExecuteResult&, bool with_vector);
  void write_returning_vector(const Cursor&);
  void write_returning(Cursor&, const std::vector<std::vector<Value>>& values);
  void write_out_value(const wire::TypeSpec&, const Value&);
  void write_out_array(const wire::TypeSpec&, const Value&);
  void write_implicit_results(const std::vector<CursorRef>&);
  Cursor& open_for_client(OpenCursor&);
  void write_rows(Cursor&, std::uint32_t wanted, wire::CallStatus&);
  std::vector<Row> engine_rows(const Cursor&, const Run&);
  Value engine_value(const wire::TypeSpec&, const wire::BindValue&);
  Value engine_table(const wire::TypeSpec&, const wire::BindValue&);
  wire::CallStatus status_of(const Cursor&) const;

  // Others.
  void lob_operation(const wire::LobRequest&);
  using LobReader = std::function<LobEntry::Piece(std::uint64_t offset, std::uint64_t amount)>;
  void read_lob(const wire::LobRequest&, const LobReader&);
  void file_operation(const wire::LobRequest&);
  void create_lob(const wire::LobRequest&);
  void change_lob(std::string_view locator, const std::function<void(LobEntry&)>& change);
  void reply_lob(const wire::LobRequest&, wire::ByteView locator, std::uint64_t amount,
                 bool flag = false);
  void write_flag(bool flag);
  void password_challenge(const wire::AuthRequest&);
  void change_password(const wire::AuthRequest&);
  void version_banner();

  void begin_watch();
  void end_watch();

  // Ends of responses.
  void finish_status(wire::CallStatus);
  void finish_call_end();
  void finish();
  void finish_error(const OraError&, std::uint32_t cursor_id);
  void answer_marker(wire::Marker);
  void answer_break(const OraError&);
  void wait_for_reset();

  /// Puts LOBs and cursors of rows and out binds into the tables of the session.
  class Registrar : public wire::LobRegistrar {
   public:
    explicit Registrar(Calls& calls) : calls_(calls) {}
    wire::ByteView locator_for(const Value& lob) override;
    void put_cursor(wire::Writer& out, const Value& cursor) override;
    Cursor* parent = nullptr;  ///< whose rows are being written

   private:
    Calls& calls_;
    std::string file_locator_;
  };

  Channel& channel_;
  const Shared& shared_;
  BreakWatch& watch_;
  Login login_;
  Session& session_;
  Authenticator authenticator_;
  CursorTable cursors_;
  LobTable lobs_;
  BfileTable bfiles_{[this](const std::string& alias) { return session_.directory_path(alias); }};
  Registrar registrar_{*this};
  Row row_;
  std::uint8_t sequence_ = 0;                // of the function being answered
  std::vector<wire::Piggyback> piggybacks_;  // of the request being read
  std::atomic<bool> break_seen_ = false;
};

}  // namespace orasim::server
