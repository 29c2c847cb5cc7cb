// Sessions recorded against orasim and played again to the client: cut at every byte, in packets of
// other sizes, and broken off after every packet.
#include <gtest/gtest.h>

#include <atomic>
#include <optional>
#include <sstream>
#include <stop_token>
#include <string>
#include <vector>

#include "connect/oracle/client.h"
#include "connect/oracle/replay_server.h"
#include "connect/oracle/scripted_server.h"
#include "connect/oracle/statement.h"
#include "connect/oracle/trace/capture_text.h"
#include "connect/oracle/trace/decode_capture.h"
#include "connect/oracle/trace/session.h"
#include "connect/oracle/trace/shared_vectors.h"
#include "tests/support/orasim.h"

namespace wherry::oracle {
namespace {

using replay::Pair;
using replay::Recording;
using test::Orasim;

constexpr std::uint16_t kVersions[] = {319, 318};  ///< with marks of the end, and without

ConnectOptions account() {
  ConnectOptions options;
  options.connect_string = "played";
  options.user = std::string(Orasim::kUser);
  options.password = Secret(std::string(Orasim::kPassword));
  return options;
}

/// What the client makes of a session: rows, an error in a statement, a count.
struct Outcome {
  std::vector<TextRow> rows;
  std::string error_code;
  std::uint64_t changed = 0;
  bool operator==(const Outcome&) const = default;
};

constexpr const char* kQuery =
    "select level, rpad('x', level * 9, 'y'), to_date('2024-02-29', 'YYYY-MM-DD') + level, "
    "level / 7, null from dual connect by level <= 12";

Result<Outcome> use(Session& session) {
  OpContext context;
  Outcome outcome;
  WHERRY_ASSIGN(outcome.rows, session.rows(context, kQuery));
  const auto failed = session.rows(context, "select no_such_column from dual");
  if (failed.ok()) return make_error(ErrorKind::kInternal, "test", "an error was lost", "");
  outcome.error_code = failed.error().code;
  WHERRY_ASSIGN(const ExecResult result, session.execute(context, "begin null; end;"));
  outcome.changed = result.row_count;
  WHERRY_TRY(session.close(context));
  return outcome;
}

Result<Outcome> use_over(std::unique_ptr<net::Stream> stream, std::uint16_t version) {
  WHERRY_ASSIGN(const auto session,
                replay::log_in_over(std::move(stream), account(), Orasim::kService, version));
  return use(*session);
}

struct Recorded {
  Recording recording;
  Outcome outcome;
};

Recorded record_session(const Orasim& server, std::uint16_t version) {
  Recorded recorded;
  {
    Pair pair([&](int fd) { replay::relay(fd, server.port(), recorded.recording); });
    const auto outcome = use_over(pair.take_client(), version);
    EXPECT_TRUE(outcome.ok()) << outcome.error().to_paragraph();
    if (outcome.ok()) recorded.outcome = *outcome;
  }
  EXPECT_EQ(recorded.outcome.rows.size(), 12U);
  return recorded;
}

Result<Outcome> play_session(const Recording& recording, std::uint16_t version,
                             const std::function<bool(std::size_t)>& cuts) {
  Pair pair([&](int fd) { replay::play(fd, recording, cuts); });
  return use_over(pair.take_client(), version);
}

TEST(Replay, GivesTheSameRowsCutAtEveryByte) {
  const Orasim server;
  for (const std::uint16_t version : kVersions) {
    const Recorded recorded = record_session(server, version);
    // Every border is one of some round; neighbours come in the last one.
    constexpr std::size_t kStride = 61;
    for (std::size_t first = 0; first <= kStride; ++first) {
      const auto cuts = [first](std::size_t at) {
        return first == kStride || at % kStride == first;
      };
      const auto outcome = play_session(recorded.recording, version, cuts);
      ASSERT_TRUE(outcome.ok()) << first << ": " << outcome.error().to_paragraph();
      ASSERT_EQ(*outcome, recorded.outcome) << first;
    }
  }
}

TEST(Replay, GivesTheSameRowsInPacketsOfAnySize) {
  const Orasim server;
  for (const std::uint16_t version : kVersions) {
    const Recorded recorded = record_session(server, version);
    for (const std::size_t size : {1, 2, 3, 5, 7, 11, 16, 31, 64, 255, 256, 1000}) {
      const Recording recording = replay::recut(recorded.recording, size);
      const auto outcome = play_session(recording, version, [](std::size_t) { return false; });
      ASSERT_TRUE(outcome.ok()) << size << ": " << outcome.error().to_paragraph();
      ASSERT_EQ(*outcome, recorded.outcome) << size;
    }
  }
}

TEST(Replay, IsAnErrorWhereverTheServerEnds) {
  const Orasim server;
  const Recorded recorded = record_session(server, 319);
  const std::size_t all = replay::server_bytes(recorded.recording);
  for (std::size_t kept = 0; kept + 40 < all; kept += 37) {
    Recording shorter;
    std::size_t left = kept;
    for (const replay::Turn& turn : recorded.recording) {
      shorter.push_back({turn.client_bytes, turn.server_bytes.substr(0, left)});
      if (turn.server_bytes.size() > left) break;
      left -= turn.server_bytes.size();
    }
    Pair pair([&](int fd) {
      replay::play(
          fd, shorter, [](std::size_t) { return false; }, replay::AtEnd::kClose);
    });
    const auto outcome = use_over(pair.take_client(), 319);
    ASSERT_FALSE(outcome.ok()) << kept << " of " << all;
    EXPECT_EQ(outcome.error().kind, ErrorKind::kTransient) << outcome.error().to_paragraph();
  }
}

constexpr const char* kLongQuery =
    "select level, rpad('x', 300, 'y') from dual connect by level <= 60";

/// All rows in many small answers.
Result<std::size_t> read_all(Session& session, OpContext& context) {
  FetchOptions options;
  options.array_rows = 5;
  WHERRY_ASSIGN(const auto query, session.query(context, kLongQuery, {}, options));
  const CellKind kinds[] = {CellKind::kDecimal, CellKind::kText};
  RowBatch batch;
  std::size_t rows = 0;
  FetchState state = FetchState::kMore;
  while (state == FetchState::kMore) {
    WHERRY_ASSIGN(state, query->fetch(context, kinds, batch));
    rows += batch.row_count();
  }
  return rows;
}

struct Breaks {
  int cancelled = 0;
  int usable = 0;  ///< sessions that went on after it
};

void break_once(Session& session, std::stop_token stop, Breaks& breaks) {
  OpContext context;
  context.stop = std::move(stop);
  const auto rows = read_all(session, context);
  if (rows.ok()) {
    EXPECT_EQ(*rows, 60U);
  } else {
    EXPECT_EQ(rows.error().kind, ErrorKind::kCancelled) << rows.error().to_paragraph();
    ++breaks.cancelled;
  }
  OpContext after;
  if (!session.is_broken()) {
    if (!rows.ok()) ++breaks.usable;
    const auto again = read_all(session, after);
    EXPECT_TRUE(again.ok()) << again.error().to_paragraph();
    EXPECT_EQ(again.ok() ? *again : 0U, 60U);
  }
  (void)session.close(after);
}

/// Breaks from the relay's thread behind the server's packet `number`; the number of packets.
std::size_t break_behind_packet(const Orasim& server, std::uint16_t version, std::size_t number,
                                Breaks& breaks) {
  std::size_t count = 0;
  std::stop_source stop;
  Recording ignored;
  {
    Pair pair([&](int fd) {
      replay::relay(fd, server.port(), ignored, [&](std::size_t packet) {
        count = packet;
        if (packet == number) stop.request_stop();
      });
    });
    const auto session =
        replay::log_in_over(pair.take_client(), account(), Orasim::kService, version);
    EXPECT_TRUE(session.ok()) << session.error().to_paragraph();
    if (session.ok()) break_once(**session, stop.get_token(), breaks);
  }
  return count;
}

TEST(Replay, MayBeBrokenOffBehindEveryPacket) {
  const Orasim server;
  for (const std::uint16_t version : kVersions) {
    Breaks breaks;
    const std::size_t packets = break_behind_packet(server, version, 0, breaks);
    ASSERT_GT(packets, 20U);
    EXPECT_EQ(breaks.cancelled, 0);
    for (std::size_t number = 1; number <= packets; ++number) {
      break_behind_packet(server, version, number, breaks);
    }
    EXPECT_GT(breaks.cancelled, 5);
    EXPECT_GT(breaks.usable, 0);
  }
}

// --- Captured servers: the log-in is played by hand, for its proof depends on the client ---

/// What a captured client did, and what the server said to each of its packets.
struct CapturedCall {
  bool is_marker = false;
  std::vector<std::string> answer;  ///< whole packets
};

struct CapturedSession {
  std::vector<CapturedCall> calls;      ///< behind the log-in
  std::vector<std::string> statements;  ///< SQL in order; "commit"
  std::vector<std::vector<TextRow>> rows;
  std::vector<std::uint32_t> errors;
};

CapturedSession captured_session(const std::string& text, std::size_t log_in_turns) {
  CapturedSession session;
  std::istringstream in(text);
  bool was_client = false;
  std::size_t turns = 0;
  trace::read_capture({}, in, [&](const trace::Block& block) {
    const bool is_client = block.direction == trace::Direction::kClient;
    const bool is_marker = block.bytes[4] == 12;
    if (is_client && (!was_client || is_marker)) {
      ++turns;
      if (turns > log_in_turns) session.calls.push_back({is_marker, {}});
    }
    if (!is_client && turns > log_in_turns) session.calls.back().answer.push_back(block.bytes);
    was_client = is_client;
  });
  std::istringstream again(text);
  std::ostringstream out;
  EXPECT_TRUE(decode_capture(again, out, "captured").ok());
  std::istringstream lines(out.str());
  for (std::string line; std::getline(lines, line);) {
    const trace::Json message = trace::Json::parse(line);
    if (message["message"] == "commit") session.statements.emplace_back("commit");
    if (message.contains("sql")) session.statements.push_back(message["sql"]);
    session.rows.resize(session.statements.size());
    session.errors.resize(session.statements.size());
    if (session.statements.empty() || message["direction"] != "server") continue;
    if (message.contains("error") && message["error"]["code"] != 1403) {
      session.errors.back() = message["error"]["code"];
    }
    if (!message.contains("rows")) continue;
    for (const trace::Json& row : message["rows"]) {
      TextRow& texts = session.rows.back().emplace_back();
      for (const trace::Json& value : row) {
        texts.push_back(value.is_null() ? std::nullopt : std::optional<std::string>(value));
      }
    }
  }
  return session;
}

void play_calls(scripted::Peer& peer, const CapturedSession& session) {
  for (const CapturedCall& call : session.calls) {
    if (call.is_marker) {
      peer.expect_marker();
    } else {
      peer.read_request();
    }
    for (const std::string& packet : call.answer) peer.send_raw(wire::bytes_of(packet));
  }
}

class CapturedServers : public trace::SharedVectorTest {
 protected:
  void play(const std::string& name, const scripted::ServerKind& kind, std::size_t log_in_turns) {
    const CapturedSession captured = captured_session(text_of(name), log_in_turns);
    ASSERT_FALSE(captured.statements.empty());
    scripted::Server server([&](scripted::Peer& peer) {
      peer.log_in(kind);
      play_calls(peer, captured);
    });
    OpContext context;
    ConnectOptions options;
    options.connect_string = server.connect_string();
    options.user = "scott";
    options.password = Secret(scripted::kPassword);
    auto session = Session::connect(context, options);
    ASSERT_TRUE(session.ok()) << session.error().to_paragraph();
    for (std::size_t i = 0; i < captured.statements.size(); ++i) {
      run(**session, captured.statements[i], captured.rows[i], captured.errors[i]);
    }
    EXPECT_TRUE((*session)->close(context).ok());
    session->reset();
    server.finish();
  }

  static void run(Session& session, const std::string& sql, const std::vector<TextRow>& rows,
                  std::uint32_t error) {
    OpContext context;
    std::optional<Error> failure;
    if (sql == "commit") {
      const auto done = session.commit(context);
      if (!done.ok()) failure = done.error();
    } else if (kind_of_statement(sql) == StatementKind::kQuery) {
      const auto seen = session.rows(context, sql);
      if (!seen.ok()) failure = seen.error();
      EXPECT_EQ(seen.ok() ? *seen : std::vector<TextRow>(), rows) << sql;
    } else {
      const auto done = session.execute(context, sql);
      if (!done.ok()) failure = done.error();
    }
    ASSERT_EQ(failure.has_value(), error != 0) << sql;
    if (!failure) return;
    EXPECT_NE(failure->to_paragraph().find(std::to_string(error)), std::string::npos)
        << failure->to_paragraph();
  }
};

TEST_F(CapturedServers, GiveTheirRowsToTheClient) {
  play("python_thin.txt", scripted::ServerKind{}, 5);
}

TEST_F(CapturedServers, TellTheClientTheirErrors) {
  play("python_thin_failed_stmt.txt", scripted::ServerKind::v23(), 3);
}

}  // namespace
}  // namespace wherry::oracle
