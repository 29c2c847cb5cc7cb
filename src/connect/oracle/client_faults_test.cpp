// The client against a server that cuts, breaks, redirects, lies and dies.
#include <gtest/gtest.h>

#include <chrono>
#include <condition_variable>
#include <mutex>

#include "connect/oracle/client.h"
#include "connect/oracle/scripted_server.h"
#include "connect/oracle/wire/datetime.h"
#include "connect/oracle/wire/number.h"

namespace wherry::oracle {
namespace {

using scripted::Bytes;
using scripted::joined;
using scripted::MarkerKind;
using scripted::PacketType;
using scripted::Peer;
using scripted::row;
using scripted::row_header;
using scripted::Server;
using scripted::ServerKind;
using scripted::Writer;

ConnectOptions options_for(const Server& server) {
  ConnectOptions options;
  options.connect_string = server.connect_string();
  options.user = "scott";
  options.password = Secret(scripted::kPassword);
  return options;
}

std::string number(std::string_view text) {
  return *wire::encode_number(text);
}

std::vector<ColumnDescription> two_columns() {
  return {scripted::column("ID", OracleType::kNumber, 22),
          scripted::column("NAME", OracleType::kVarchar, 40)};
}

/// Answers a log-off and takes the farewell packet.
void expect_farewell(Peer& peer) {
  peer.read_request();
  peer.send_response({9, 0, 0});
  peer.expect(PacketType::kData);
}

/// What a client does that gives up a response it cannot read on.
void serve_break(Peer& peer) {
  if (peer.expect_marker() != MarkerKind::kBreak) throw std::runtime_error("no break");
  if (peer.expect_marker() != MarkerKind::kReset) throw std::runtime_error("no reset");
  peer.send_marker(MarkerKind::kReset);
  peer.send_response(peer.status(1013, "ORA-01013: cancelled\n"));
}

/// Execute without rows, then one fetch that ends.
void serve_small_query(Peer& peer) {
  peer.read_request();
  peer.send_response(joined({peer.describe(two_columns()), peer.success(3)}));
  peer.read_request();
  peer.send_response(joined({row_header(), row({number("1"), "one"}), row({number("-2.5"), {}}),
                             row({number("3"), std::string(300, 'x')}), peer.end_of_rows(3, 3)}));
}

using Rows = std::vector<std::pair<std::string, std::string>>;

Result<Rows> read_two_columns(Session& session, OpContext& context) {
  WHERRY_ASSIGN(const auto query, session.query(context, "select id, name from t"));
  const CellKind kinds[] = {CellKind::kDecimal, CellKind::kText};
  Rows rows;
  RowBatch batch;
  FetchState state = FetchState::kMore;
  while (state == FetchState::kMore) {
    WHERRY_ASSIGN(state, query->fetch(context, kinds, batch));
    for (std::size_t r = 0; r < batch.row_count(); ++r) {
      const Cell& name = batch.at(r, 1);
      rows.emplace_back(to_text(decimal_of(batch.at(r, 0))),
                        name.is_null() ? "NULL" : std::string(name.bytes()));
    }
  }
  return rows;
}

const Rows kSmallRows = {{"1", "one"}, {"-2.5", "NULL"}, {"3", std::string(300, 'x')}};

void run_whole_session(const ServerKind& kind, std::size_t cut) {
  SCOPED_TRACE("packets of " + std::to_string(cut) + " bytes");
  Server server(
      [&](Peer& peer) {
        peer.log_in(kind);
        serve_small_query(peer);
        expect_farewell(peer);
      },
      cut);
  OpContext context;
  auto session = Session::connect(context, options_for(server));
  ASSERT_TRUE(session.ok()) << session.error().to_paragraph();
  auto rows = read_two_columns(**session, context);
  ASSERT_TRUE(rows.ok()) << rows.error().to_paragraph();
  EXPECT_EQ(*rows, kSmallRows);
  EXPECT_TRUE((*session)->close(context).ok());
  server.finish();
}

TEST(ClientFaults, ReadsResponsesCutAtAnySize) {
  for (std::size_t cut = 1; cut <= 40; ++cut) run_whole_session(ServerKind(), cut);
  for (std::size_t cut = 1; cut <= 40; cut += 3) run_whole_session(ServerKind::v23(), cut);
}

TEST(ClientFaults, WorksWithTheSmallestPackets) {
  ServerKind kind;
  kind.sdu_bytes = 512;
  run_whole_session(kind, 0);
  kind = ServerKind::v23();
  kind.sdu_bytes = 512;
  run_whole_session(kind, 0);
}

/// Runs `rest` after a log-in, on both kinds of server, while `check` uses the session.
void on_both_kinds(const std::function<void(Peer&)>& rest,
                   const std::function<void(Session&, OpContext&)>& check) {
  for (const ServerKind& kind : {ServerKind(), ServerKind::v23()}) {
    Server server([&](Peer& peer) {
      peer.log_in(kind);
      rest(peer);
    });
    OpContext context;
    auto session = Session::connect(context, options_for(server));
    ASSERT_TRUE(session.ok()) << session.error().to_paragraph();
    check(**session, context);
    session = cancelled_error();
    EXPECT_NO_THROW(server.finish());
  }
}

void serve_ping(Peer& peer) {
  peer.read_request();
  peer.send_response({9, 0, 0});
}

void expect_position_lost(Session& session, OpContext& context) {
  auto rows = read_two_columns(session, context);
  ASSERT_FALSE(rows.ok());
  EXPECT_EQ(rows.error().code, "oracle.snapshot_too_old");
  EXPECT_EQ(rows.error().kind, ErrorKind::kPositionLost);
  EXPECT_EQ(rows.error().native_code, "ORA-01555");
  EXPECT_TRUE(session.ping(context).ok());
}

Bytes too_old(const Peer& peer) {
  return peer.status(1555, "ORA-01555: snapshot too old\n", 3);
}

TEST(ClientFaults, TakesMarkersInTheMiddleOfARow) {
  on_both_kinds(
      [](Peer& peer) {
        peer.read_request();
        peer.send_response(joined({peer.describe(two_columns()), peer.success(3)}));
        peer.read_request();
        const Bytes rows = joined({row_header(), row({number("1"), "one"}), {7, 2, 0xC1}});
        peer.send_part(rows);
        peer.send_marker(MarkerKind::kBreak);
        peer.send_marker(MarkerKind::kReset);
        if (peer.expect_marker() != MarkerKind::kReset) throw std::runtime_error("no reset");
        peer.send_marker(MarkerKind::kReset);
        peer.send_marker(MarkerKind::kReset);
        peer.send_response(too_old(peer));
        serve_ping(peer);
      },
      expect_position_lost);
}

TEST(ClientFaults, TakesAResetThatFollowsItsOwn) {
  on_both_kinds(
      [](Peer& peer) {
        peer.read_request();
        peer.send_marker(MarkerKind::kBreak);
        if (peer.expect_marker() != MarkerKind::kReset) throw std::runtime_error("no reset");
        peer.send_marker(MarkerKind::kReset);
        peer.send_response(too_old(peer));
        serve_ping(peer);
      },
      expect_position_lost);
}

TEST(ClientFaults, SkipsNotificationsBetweenPackets) {
  on_both_kinds(
      [](Peer& peer) {
        peer.read_request();
        peer.send_response(joined({peer.describe(two_columns()), peer.success(3)}));
        peer.read_request();
        const Bytes all =
            joined({row_header(), row({number("1"), "one"}), row({number("-2.5"), {}}),
                    row({number("3"), std::string(300, 'x')})});
        peer.send_part(wire::ByteView(all).first(15));
        peer.send_notification(12572);
        peer.send_part(wire::ByteView(all).subspan(15));
        peer.send_response(peer.end_of_rows(3, 3));
      },
      [](Session& session, OpContext& context) {
        auto rows = read_two_columns(session, context);
        ASSERT_TRUE(rows.ok()) << rows.error().to_paragraph();
        EXPECT_EQ(*rows, kSmallRows);
      });
}

TEST(ClientFaults, ANotificationThatEndsTheSessionIsTold) {
  on_both_kinds(
      [](Peer& peer) {
        peer.read_request();
        peer.send_notification(2396);
      },
      [](Session& session, OpContext& context) {
        auto pinged = session.ping(context);
        ASSERT_FALSE(pinged.ok());
        EXPECT_EQ(pinged.error().native_code, "ORA-02396");
        EXPECT_TRUE(session.is_broken());
      });
}

TEST(ClientFaults, AServerThatDiesInARowIsTransient) {
  on_both_kinds(
      [](Peer& peer) {
        peer.read_request();
        peer.send_response(joined({peer.describe(two_columns()), peer.success(3)}));
        peer.read_request();
        peer.send_part(joined({row_header(), {7, 2, 0xC1}}));
        peer.close_socket();
      },
      [](Session& session, OpContext& context) {
        auto rows = read_two_columns(session, context);
        ASSERT_FALSE(rows.ok());
        EXPECT_EQ(rows.error().kind, ErrorKind::kTransient);
        EXPECT_TRUE(session.is_broken());
      });
}

TEST(ClientFaults, RepeatsValuesOfThePreviousResponse) {
  on_both_kinds(
      [](Peer& peer) {
        peer.read_request();
        peer.send_response(joined({peer.describe(two_columns()), peer.success(3)}));
        peer.read_request();
        peer.send_response(joined({row_header(), row({number("1"), "same"}), peer.success(3, 1)}));
        peer.read_request();
        // Only the first column is sent: bits 01.
        const Bytes second = {21, 1, 1, 1, 7, 2, 0xC1, 3};
        const Bytes header_bits = {6, 0, 1, 1, 0, 0, 0, 1, 1, 1, 1, 0};
        peer.send_response(joined({row_header(), second, peer.success(3, 2)}));
        peer.read_request();
        peer.send_response(joined({header_bits, {7, 2, 0xC1, 4}, peer.end_of_rows(3, 3)}));
      },
      [](Session& session, OpContext& context) {
        auto query = session.query(context, "select id, name from t");
        ASSERT_TRUE(query.ok());
        const CellKind kinds[] = {CellKind::kInt64, CellKind::kText};
        RowBatch batch(1);  // full after one row: every row comes in a batch of its own
        for (int expected = 1; expected <= 3; ++expected) {
          auto state = (*query)->fetch(context, kinds, batch);
          ASSERT_TRUE(state.ok()) << state.error().to_paragraph();
          ASSERT_EQ(batch.row_count(), 1U);
          EXPECT_EQ(batch.at(0, 0).payload.i64, expected);
          EXPECT_EQ(batch.at(0, 1).bytes(), "same");
        }
      });
}

TEST(ClientFaults, AnotherDescriptionInTheMiddleIsASchemaErrorAndLeavesTheSessionUsable) {
  on_both_kinds(
      [](Peer& peer) {
        peer.read_request();
        peer.send_response(joined({peer.describe(two_columns()), peer.success(3)}));
        peer.read_request();
        const Bytes changed = peer.describe({scripted::column("ID", OracleType::kNumber, 22)});
        peer.send_response(
            joined({changed, row_header(), row({number("1")}), peer.end_of_rows(3, 1)}));
        serve_break(peer);
        serve_small_query(peer);
      },
      [](Session& session, OpContext& context) {
        const auto changed = read_two_columns(session, context);
        ASSERT_FALSE(changed.ok());
        EXPECT_EQ(changed.error().code, "oracle.columns_changed");
        EXPECT_FALSE(session.is_broken());
        const auto rows = read_two_columns(session, context);
        ASSERT_TRUE(rows.ok()) << rows.error().to_paragraph();
        EXPECT_EQ(*rows, kSmallRows);
      });
}

TEST(ClientFaults, ADataErrorNamesColumnAndRowAndLeavesTheSessionUsable) {
  on_both_kinds(
      [](Peer& peer) {
        peer.read_request();
        peer.send_response(joined(
            {peer.describe({scripted::column("BORN", OracleType::kDate, 7)}), peer.success(3)}));
        peer.read_request();
        const std::string leap_day_1500 = {115, 100, 2, 29, 1, 1, 1};
        peer.send_response(joined(
            {row_header(), row({wire::encode_date(0)}), row({leap_day_1500}), peer.success(3, 2)}));
        serve_break(peer);
        serve_ping(peer);
      },
      [](Session& session, OpContext& context) {
        {
          auto query = session.query(context, "select born from t");
          ASSERT_TRUE(query.ok());
          const CellKind kinds[] = {CellKind::kTimestamp};
          RowBatch batch;
          auto state = (*query)->fetch(context, kinds, batch);
          ASSERT_FALSE(state.ok());
          EXPECT_EQ(state.error().kind, ErrorKind::kData);
          EXPECT_EQ(state.error().code, "oracle.value");
          EXPECT_NE(state.error().message.find("BORN in row 2"), std::string::npos)
              << state.error().message;
        }
        auto pinged = session.ping(context);
        EXPECT_TRUE(pinged.ok()) << pinged.error().to_paragraph();
      });
}

TEST(ClientFaults, ACallTimeOutBreaksTheCallOff) {
  Server server([](Peer& peer) {
    peer.log_in(ServerKind());
    peer.read_request();
    if (peer.expect_marker() != MarkerKind::kInterrupt) throw std::runtime_error("no interrupt");
    peer.send_marker(MarkerKind::kBreak);
    peer.send_marker(MarkerKind::kReset);
    if (peer.expect_marker() != MarkerKind::kReset) throw std::runtime_error("no reset");
    peer.send_response(peer.status(1013, "ORA-01013: user requested cancel\n"));
    serve_ping(peer);
  });
  OpContext context;
  ConnectOptions options = options_for(server);
  options.call_timeout = std::chrono::milliseconds(150);
  auto session = Session::connect(context, options);
  ASSERT_TRUE(session.ok()) << session.error().to_paragraph();
  auto rows = (*session)->rows(context, "select wait from dual");
  ASSERT_FALSE(rows.ok());
  EXPECT_EQ(rows.error().code, "oracle.call_timeout");
  EXPECT_FALSE((*session)->is_broken());
  EXPECT_TRUE((*session)->ping(context).ok());
  server.finish();
}

TEST(ClientFaults, AStopWinsAgainstASilentServerWithinASecond) {
  std::stop_source stop;
  Server server([&](Peer& peer) {
    peer.log_in(ServerKind());
    peer.read_request();
    stop.request_stop();
    try {
      while (true) peer.read_packet();  // until the client gives up
    } catch (const std::runtime_error&) {
    }
  });
  OpContext context;
  auto session = Session::connect(context, options_for(server));
  ASSERT_TRUE(session.ok()) << session.error().to_paragraph();
  OpContext stoppable;
  stoppable.stop = stop.get_token();
  const auto start = std::chrono::steady_clock::now();
  auto pinged = (*session)->ping(stoppable);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(1));
  ASSERT_FALSE(pinged.ok());
  EXPECT_EQ(pinged.error().kind, ErrorKind::kCancelled);
  EXPECT_TRUE((*session)->is_broken());
  session = cancelled_error();
  server.finish();
}

/// 23.3 offers marks and does not keep to them: there a packet of one byte 29 is data like any
/// other.
TEST(ClientFaults, ReadsTheByteOfTheMarkAsDataWhereThereIsNoMark) {
  ServerKind kind;
  kind.tns_version = 319;
  kind.field_version = 23;
  kind.accept_flags2 = wire::kAcceptEndOfResponse;
  Server server([&](Peer& peer) {
    peer.log_in(kind);
    peer.read_request();
    peer.set_cut(1);
    peer.send_response(
        joined({peer.describe({scripted::column("A", OracleType::kVarchar, 40)}), row_header(),
                row({"\x1D"}), row({std::string(29, 'x')}), peer.end_of_rows(3, 2)}));
    peer.set_cut(0);
    expect_farewell(peer);
  });
  OpContext context;
  auto session = Session::connect(context, options_for(server));
  ASSERT_TRUE(session.ok()) << session.error().to_paragraph();
  const auto rows = (*session)->rows(context, "select a from t");
  ASSERT_TRUE(rows.ok()) << rows.error().to_paragraph();
  EXPECT_EQ(*rows, (std::vector<TextRow>{{"\x1D"}, {std::string(29, 'x')}}));
  EXPECT_TRUE((*session)->close(context).ok());
  server.finish();
}

}  // namespace
}  // namespace wherry::oracle
