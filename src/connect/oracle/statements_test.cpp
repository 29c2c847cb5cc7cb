// Statements against a server that does what a test tells it: kept cursors, cursors that come back,
// changed tables, calls broken off at every border of packets.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>

#include "connect/oracle/client.h"
#include "connect/oracle/scripted_server.h"
#include "connect/oracle/value_text.h"
#include "connect/oracle/wire/number.h"
#include "connect/oracle/wire/request.h"

namespace wherry::oracle {
namespace {

using scripted::Bytes;
using scripted::column;
using scripted::joined;
using scripted::MarkerKind;
using scripted::Peer;
using scripted::row;
using scripted::row_header;
using scripted::Server;
using scripted::ServerKind;
using scripted::Writer;

std::string number(std::string_view text) {
  return *wire::encode_number(text);
}

/// What an execute request says, as far as a test asks.
struct SeenExecute {
  std::vector<std::uint32_t> closed;  ///< by a piggyback before it
  std::uint8_t function = 0;
  std::uint32_t options = 0, cursor_id = 0;
  bool has_sql = false;
};

SeenExecute seen(const Bytes& request, const ServerKind& kind) {
  wire::Reader in(request);
  SeenExecute result;
  const auto skip_token = [&] {
    if (kind.field_version >= 18) in.ub8();
  };
  while (in.u8() == 17) {
    in.skip(2);
    skip_token();
    in.skip(1);
    const std::uint32_t count = in.ub4();
    for (std::uint32_t i = 0; i < count; ++i) result.closed.push_back(in.ub4());
  }
  result.function = in.u8();
  in.skip(1);
  skip_token();
  result.options = in.ub4();
  result.cursor_id = in.ub4();
  result.has_sql = in.u8() != 0;
  if (!in.ok()) throw std::runtime_error("the request is not an execute call");
  return result;
}

void expect(bool claim, const char* what) {
  if (!claim) throw std::runtime_error(what);
}

ConnectOptions options_for(const Server& server) {
  ConnectOptions options;
  options.connect_string = server.connect_string();
  options.user = "scott";
  options.password = Secret(scripted::kPassword);
  return options;
}

using Script = std::function<void(Peer&, const ServerKind&)>;
using Check = std::function<void(Session&, OpContext&)>;

/// Runs `script` after a log-in, on servers old and new, while `check` uses the session.
void on_both_kinds(const Script& script, const Check& check) {
  for (const ServerKind& kind : {ServerKind(), ServerKind::v23()}) {
    Server server([&](Peer& peer) {
      peer.log_in(kind);
      script(peer, kind);
    });
    OpContext context;
    auto session = Session::connect(context, options_for(server));
    ASSERT_TRUE(session.ok()) << session.error().to_paragraph();
    check(**session, context);
    session = cancelled_error();
    try {
      server.finish();
    } catch (const std::exception& failure) {
      ADD_FAILURE() << failure.what();
    }
  }
}

const std::vector<ColumnDescription> kOneNumber = {column("N", OracleType::kNumber, 22)};

/// Rows of a small query or cursor as text, lines of "a|b".
Result<std::vector<std::string>> lines_of(Query& query, OpContext& context) {
  std::vector<CellKind> kinds;
  for (const ColumnDescription& one : query.columns()) {
    kinds.push_back(natural_kind(one).value_or(CellKind::kText));
  }
  std::vector<std::string> lines;
  RowBatch batch;
  FetchState state = FetchState::kMore;
  while (state == FetchState::kMore) {
    WHERRY_ASSIGN(state, query.fetch(context, kinds, batch));
    for (std::size_t r = 0; r < batch.row_count(); ++r) {
      std::string& line = lines.emplace_back();
      for (std::size_t c = 0; c < batch.column_count(); ++c) {
        line += (c == 0 ? "" : "|") + value_text(batch.at(r, c)).value_or("NULL");
      }
    }
  }
  return lines;
}

std::string value_of(Session& session, OpContext& context, std::string_view sql) {
  auto rows = session.rows(context, sql);
  if (!rows.ok()) return rows.error().native_code + " " + rows.error().code;
  if (rows->size() != 1) return std::to_string(rows->size()) + " rows";
  return rows->front()[0].value_or("NULL");
}

Bytes one_row(const Peer& peer, std::uint32_t cursor, std::string_view value) {
  return joined({row_header(), row({number(value)}), peer.end_of_rows(cursor, 1)});
}

TEST(Statements, AreParsedOnceAndClosedWhenOthersNeedTheirPlace) {
  on_both_kinds(
      [](Peer& peer, const ServerKind& kind) {
        for (std::uint32_t i = 0; i < 22; ++i) {
          const SeenExecute first = seen(peer.read_request(), kind);
          expect(first.has_sql && first.cursor_id == 0, "a new statement is parsed");
          if (i == 20) expect(first.closed.empty(), "twenty statements are kept");
          if (i == 21) expect(first.closed == std::vector<std::uint32_t>{1}, "one had to go");
          peer.send_response(joined({peer.describe(kOneNumber), one_row(peer, i + 1, "1")}));
        }
        const SeenExecute again = seen(peer.read_request(), kind);
        expect(!again.has_sql && again.cursor_id == 22, "the last one is known");
        expect((again.options & wire::kParse) == 0, "and not parsed again");
        peer.send_response(one_row(peer, 22, "2"));
      },
      [](Session& session, OpContext& context) {
        for (int i = 0; i < 22; ++i) {
          EXPECT_EQ(value_of(session, context, "select n from t" + std::to_string(i)), "1");
        }
        EXPECT_EQ(value_of(session, context, "select n from t21"), "2");
      });
}

TEST(Statements, AreParsedAgainOnceWhenTheirTableChanged) {
  for (const std::uint32_t code : {1007U, 932U}) {
    on_both_kinds(
        [code](Peer& peer, const ServerKind& kind) {
          peer.read_request();
          peer.send_response(joined({peer.describe(kOneNumber), one_row(peer, 5, "1")}));
          peer.read_request();
          peer.send_response(peer.status(code, "ORA-00000: the table changed\n", 5));
          const SeenExecute again = seen(peer.read_request(), kind);
          expect(again.closed == std::vector<std::uint32_t>{5}, "the old cursor is closed");
          expect(again.has_sql, "the statement is parsed again");
          const std::vector<ColumnDescription> changed = {column("V", OracleType::kVarchar, 10)};
          peer.send_response(joined(
              {peer.describe(changed), row_header(), row({"text"}), peer.end_of_rows(6, 1)}));
          // The same for a statement that is no query; a second failure is one.
          peer.read_request();
          peer.send_response(peer.success(7, 1));
          peer.read_request();
          peer.send_response(peer.status(code, "ORA-00000: the table changed\n", 7));
          expect(seen(peer.read_request(), kind).has_sql, "DML is parsed again");
          peer.send_response(peer.status(code, "ORA-00000: the table changed\n", 8));
        },
        [code](Session& session, OpContext& context) {
          EXPECT_EQ(value_of(session, context, "select * from t"), "1");
          EXPECT_EQ(value_of(session, context, "select * from t"), "text");
          ASSERT_TRUE(session.execute(context, "delete from t").ok());
          const auto failed = session.execute(context, "delete from t");
          ASSERT_FALSE(failed.ok());
          EXPECT_EQ(failed.error().native_code, code == 932 ? "ORA-00932" : "ORA-01007");
        });
  }
}

TEST(Statements, TakeANewDescriptionThatComesWithTheirRows) {
  on_both_kinds(
      [](Peer& peer, const ServerKind&) {
        const std::vector<ColumnDescription> text = {column("V", OracleType::kVarchar, 10)};
        peer.read_request();
        peer.send_response(
            joined({peer.describe(text), row_header(), row({"short"}), peer.end_of_rows(5, 1)}));
        peer.read_request();
        // The column is a CLOB now; it comes as LONG: value, indicator, return code.
        Writer rows;
        rows.u8(7);
        rows.clr(std::string(300, 'c'));
        rows.zeros(2);
        peer.send_response(joined({peer.describe({column("V", OracleType::kClob, 4000)}),
                                   row_header(), rows.bytes(), peer.end_of_rows(5, 1)}));
      },
      [](Session& session, OpContext& context) {
        EXPECT_EQ(value_of(session, context, "select v from t"), "short");
        EXPECT_EQ(value_of(session, context, "select v from t"), std::string(300, 'c'));
      });
}

TEST(Statements, KeepTheirCursorAfterAViolatedConstraintAndCloseItAfterOtherErrors) {
  on_both_kinds(
      [](Peer& peer, const ServerKind& kind) {
        peer.read_request();
        peer.send_response(peer.success(4, 1));
        expect(seen(peer.read_request(), kind).cursor_id == 4, "the cursor is used again");
        peer.send_response(peer.status(1, "ORA-00001: unique constraint violated\n", 4));
        expect(seen(peer.read_request(), kind).cursor_id == 4, "a constraint does not matter");
        peer.send_response(peer.status(1722, "ORA-01722: invalid number\n", 4));
        const SeenExecute last = seen(peer.read_request(), kind);
        expect(last.cursor_id == 0 && last.has_sql, "after another error it is parsed again");
        expect(last.closed == std::vector<std::uint32_t>{4}, "and the old cursor closed");
        peer.send_response(peer.success(5, 1));
      },
      [](Session& session, OpContext& context) {
        const std::string sql = "insert into t values (1)";
        EXPECT_TRUE(session.execute(context, sql).ok());
        EXPECT_FALSE(session.execute(context, sql).ok());
        EXPECT_FALSE(session.execute(context, sql).ok());
        EXPECT_TRUE(session.execute(context, sql).ok());
      });
}

TEST(Statements, GiveTheRowsOfRefCursorsAndImplicitResults) {
  on_both_kinds(
      [](Peer& peer, const ServerKind& kind) {
        peer.read_request();
        Writer answer;
        answer.raw(std::string_view("\x0b\x00\x01\x01\x00\x00\x00\x00\x00\x10", 10));
        answer.u8(7);
        answer.u8(1);
        answer.raw(peer.describe_body(kOneNumber));
        answer.ub2(31);
        answer.u8(0);
        answer.u8(27);
        answer.ub4(2);
        for (const std::uint16_t id : {32, 33}) {
          answer.u8(0);
          answer.raw(peer.describe_body({column("V", OracleType::kVarchar, 10)}));
          answer.ub2(id);
        }
        answer.raw(peer.success(9, 1));
        peer.send_response(answer.take());
        std::vector<std::uint32_t> closed;
        const auto serve = [&](std::uint32_t id, const Bytes& rows) {
          const SeenExecute fetch = seen(peer.read_request(), kind);
          closed.insert(closed.end(), fetch.closed.begin(), fetch.closed.end());
          expect(fetch.cursor_id == id && !fetch.has_sql, "rows of the cursor are asked for");
          expect(
              (fetch.options & (wire::kFetchOption | wire::kExecuteOption)) == wire::kFetchOption,
              "fetched, not executed");
          peer.send_response(rows);
        };
        serve(32, joined({row_header(), row({"first"}), peer.success(32, 1)}));
        serve(31, one_row(peer, 31, "1"));
        serve(32, joined({row_header(), row({"second"}), peer.end_of_rows(32, 2)}));
        const SeenExecute last = seen(peer.read_request(), kind);
        closed.insert(closed.end(), last.closed.begin(), last.closed.end());
        std::sort(closed.begin(), closed.end());
        expect(closed == std::vector<std::uint32_t>{31, 32, 33}, "all three cursors are closed");
        peer.send_response(peer.success(9, 1));
      },
      [](Session& session, OpContext& context) {
        {
          const Bind binds[] = {Bind::out(OracleType::kCursor)};
          auto done = session.execute(context, "begin open_all(:1); end;", binds);
          ASSERT_TRUE(done.ok()) << done.error().to_paragraph();
          ASSERT_NE(done->cursors.at(0), nullptr);
          ASSERT_EQ(done->implicit_results.size(), 2U);
          // Read side by side: a row of one, all of another, the rest of the first.
          Query& first = *done->implicit_results[0];
          const CellKind kinds[] = {CellKind::kText};
          RowBatch batch(1);
          auto state = first.fetch(context, kinds, batch);
          ASSERT_TRUE(state.ok()) << state.error().to_paragraph();
          EXPECT_EQ(batch.at(0, 0).bytes(), "first");
          auto numbers = lines_of(*done->cursors[0], context);
          ASSERT_TRUE(numbers.ok()) << numbers.error().to_paragraph();
          EXPECT_EQ(*numbers, std::vector<std::string>{"1"});
          auto rest = lines_of(first, context);
          ASSERT_TRUE(rest.ok()) << rest.error().to_paragraph();
          EXPECT_EQ(*rest, std::vector<std::string>{"second"});
        }
        EXPECT_TRUE(session.execute(context, "begin other; end;").ok());
      });
}

TEST(Statements, GiveTheRowsOfCursorColumns) {
  on_both_kinds(
      [](Peer& peer, const ServerKind& kind) {
        peer.read_request();
        peer.send_response(joined({peer.describe({column("ID", OracleType::kNumber, 22),
                                                  column("C", OracleType::kCursor, 4)}),
                                   peer.success(3)}));
        peer.read_request();
        Writer rows;
        rows.raw(row_header());
        for (const std::uint16_t id : {40, 41, 0}) {
          rows.u8(7);
          rows.clr(number(std::to_string(id)));
          rows.u8(id == 0 ? 0 : 1);
          if (id == 0) continue;
          rows.raw(peer.describe_body(kOneNumber));
          rows.ub2(id);
        }
        rows.raw(peer.end_of_rows(3, 3));
        peer.send_response(rows.take());
        for (const std::uint32_t id : {40U, 41U}) {
          const SeenExecute fetch = seen(peer.read_request(), kind);
          expect(fetch.cursor_id == id && fetch.closed.empty(), "a nested cursor is not closed");
          peer.send_response(one_row(peer, id, std::to_string(id * 10)));
        }
      },
      [](Session& session, OpContext& context) {
        auto query = session.query(context, "select id, cursor(select n from u) c from t");
        ASSERT_TRUE(query.ok());
        const CellKind kinds[] = {CellKind::kInt64, CellKind::kInt64};
        RowBatch batch;
        auto state = (*query)->fetch(context, kinds, batch);
        ASSERT_TRUE(state.ok()) << state.error().to_paragraph();
        ASSERT_EQ(batch.row_count(), 3U);
        for (std::size_t r = 0; r < 2; ++r) {
          auto nested = (*query)->nested(batch.at(r, 1));
          ASSERT_TRUE(nested.ok());
          auto lines = lines_of(**nested, context);
          ASSERT_TRUE(lines.ok()) << lines.error().to_paragraph();
          EXPECT_EQ(*lines, std::vector<std::string>{std::to_string((40 + r) * 10)});
          EXPECT_FALSE((*query)->nested(batch.at(r, 1)).ok());
        }
        EXPECT_TRUE(batch.at(2, 1).is_null());
      });
}

TEST(Statements, ReturnSeveralRowsOfValuesAndLobs) {
  on_both_kinds(
      [](Peer& peer, const ServerKind&) {
        peer.read_request();
        Writer answer;
        for (int execution = 0; execution < 2; ++execution) {
          answer.u8(7);
          answer.ub4(2);
          for (const char* value : {"1", "2"}) {
            answer.clr(number(value));
            answer.u8(0);
          }
          answer.ub4(2);
          answer.ub4(40);
          answer.ub8(5);
          answer.ub4(8132);
          answer.clr(std::string(40, 'l'));
          answer.u8(0);
          answer.ub4(0);
          answer.u8(0);
        }
        answer.raw(peer.success(4, 4));
        peer.send_response(answer.take());
      },
      [](Session& session, OpContext& context) {
        const BindRow binds = {Bind::number(std::int64_t{1}), Bind::out(OracleType::kNumber),
                               Bind::out(OracleType::kClob)};
        const std::vector<BindRow> rows = {binds, binds};
        auto done =
            session.execute_array(context, "update t set n = :1 returning n, c into :2, :3", rows);
        ASSERT_TRUE(done.ok()) << done.error().to_paragraph();
        EXPECT_EQ(done->returned.at(1),
                  (std::vector<std::optional<std::string>>{"1", "2", "1", "2"}));
        ASSERT_EQ(done->lobs.at(2).size(), 4U);
        EXPECT_EQ(done->lobs[2][0]->locator(), std::string(40, 'l'));
        EXPECT_EQ(done->lobs[2][1], nullptr);
      });
}

/// An I/O vector of these directions, unless empty, and rows of OUT values.
Bytes out_values(std::string_view directions, std::span<const std::string_view> values) {
  Writer answer;
  if (!directions.empty()) {
    answer.u8(11);
    answer.u8(0);
    answer.ub2(static_cast<std::uint16_t>(directions.size()));
    answer.ub4(0);
    answer.ub4(1);
    for (int empty = 0; empty < 3; ++empty) answer.ub2(0);
    answer.raw(directions);
  }
  for (const std::string_view value : values) {
    answer.u8(7);
    answer.clr(number(value));
    answer.u8(0);
  }
  return answer.take();
}

std::vector<BindRow> rows_of(const Bind& first, const Bind& second, std::size_t count) {
  return std::vector<BindRow>(count, BindRow{first, second});
}

using OutRows = std::vector<std::vector<std::optional<std::string>>>;

TEST(Statements, RunABlockForManyRowsInTwoCalls) {
  on_both_kinds(
      [](Peer& peer, const ServerKind& kind) {
        const std::string_view first[] = {"1"}, rest[] = {"2", "3", "4"};
        expect(seen(peer.read_request(), kind).has_sql, "the first row parses");
        peer.send_response(joined({out_values("\x20\x10", first), peer.success(6, 1)}));
        const SeenExecute second = seen(peer.read_request(), kind);
        expect(second.cursor_id == 6 && !second.has_sql, "the others come together");
        peer.send_response(joined({out_values("\x20\x10", rest), peer.success(6, 3)}));
        seen(peer.read_request(), kind);
        peer.send_response(joined({out_values("", rest), peer.success(6, 3)}));
      },
      [](Session& session, OpContext& context) {
        const std::string sql = "begin :o := f(:i); end;";
        const Bind in = Bind::number(std::int64_t{7});
        const Bind out = Bind::out(OracleType::kNumber);
        auto done = session.execute_array(context, sql, rows_of(in, out, 4));
        ASSERT_TRUE(done.ok()) << done.error().to_paragraph();
        EXPECT_EQ(done->out_rows, (OutRows{{std::nullopt, "1"},
                                           {std::nullopt, "2"},
                                           {std::nullopt, "3"},
                                           {std::nullopt, "4"}}));
        EXPECT_EQ(done->out.at(1), "4");
        EXPECT_EQ(done->row_count, 4U);
        // Directions are known now, so one call does.
        done = session.execute_array(context, sql, rows_of(in, out, 3));
        ASSERT_TRUE(done.ok()) << done.error().to_paragraph();
        EXPECT_EQ(done->out_rows.size(), 3U);
      });
}

TEST(Statements, RunABlockWithInOutBindsOnceForEveryRow) {
  on_both_kinds(
      [](Peer& peer, const ServerKind& kind) {
        const std::string_view first[] = {"1"}, second[] = {"2"};
        seen(peer.read_request(), kind);
        peer.send_response(joined({out_values("\x20\x30", first), peer.success(6, 1)}));
        seen(peer.read_request(), kind);
        peer.send_response(joined({out_values("", second), peer.success(6, 1)}));
        seen(peer.read_request(), kind);
        peer.send_response(peer.status(6502, "ORA-06502: PL/SQL: numeric or value error\n", 6));
      },
      [](Session& session, OpContext& context) {
        const Bind in = Bind::number(std::int64_t{7});
        const auto done = session.execute_array(context, "begin p(:i, :io); end;",
                                                rows_of(in, Bind(in).in_out(), 4));
        ASSERT_FALSE(done.ok());
        EXPECT_EQ(done.error().native_code, "ORA-06502");
        EXPECT_NE(done.error().to_paragraph().find("(row 3)"), std::string::npos)
            << done.error().to_paragraph();
      });
}

TEST(Statements, TakeIndexByTables) {
  on_both_kinds(
      [](Peer& peer, const ServerKind&) {
        peer.read_request();
        Writer answer;
        answer.raw(out_values("\x10\x30", {}));
        answer.u8(7);
        answer.ub4(0);
        answer.ub4(3);
        for (const char* value : {"1", "", "3"}) {
          answer.clr(*value == 0 ? std::string() : number(value));
          answer.u8(0);
        }
        answer.raw(peer.success(4, 1));
        peer.send_response(answer.take());
      },
      [](Session& session, OpContext& context) {
        const Bind one[] = {Bind::number(std::int64_t{9})};
        const Bind binds[] = {Bind::out_array(OracleType::kVarchar, 10),
                              Bind::array(OracleType::kNumber, one, 3).in_out()};
        const auto done = session.execute(context, "begin p(:1, :2); end;", binds);
        ASSERT_TRUE(done.ok()) << done.error().to_paragraph();
        EXPECT_EQ(done->arrays, (OutRows{{}, {"1", std::nullopt, "3"}}));
      });
}

TEST(Statements, CanBeStoppedAtEveryBorderOfPackets) {
  for (int packets = 0; packets <= 6; ++packets) {
    SCOPED_TRACE(std::to_string(packets) + " packets before the stop");
    std::stop_source stop;
    on_both_kinds(
        [&](Peer& peer, const ServerKind&) {
          peer.read_request();
          peer.send_response(joined({peer.describe(kOneNumber), peer.success(3)}));
          peer.read_request();
          Bytes rows = row_header();
          for (int i = 0; i < 100; ++i) {
            const Bytes one = row({number(std::to_string(i))});
            rows.insert(rows.end(), one.begin(), one.end());
          }
          for (int i = 0; i < packets; ++i) {
            // Borders lie anywhere in rows.
            peer.send_part(wire::ByteView(rows).subspan(static_cast<std::size_t>(i) * 61, 61));
          }
          stop.request_stop();
          expect(peer.expect_marker() == MarkerKind::kInterrupt, "an interrupt comes");
          peer.send_marker(MarkerKind::kBreak);
          peer.send_marker(MarkerKind::kReset);
          expect(peer.expect_marker() == MarkerKind::kReset, "a reset comes");
          peer.send_response(peer.status(1013, "ORA-01013: user requested cancel\n"));
          peer.read_request();
          peer.send_response({9, 0, 0});
        },
        [&](Session& session, OpContext& context) {
          auto query = session.query(context, "select n from t");
          ASSERT_TRUE(query.ok());
          OpContext stoppable;
          stoppable.stop = stop.get_token();
          const CellKind kinds[] = {CellKind::kInt64};
          RowBatch batch;
          const auto asked = std::chrono::steady_clock::now();
          auto state = (*query)->fetch(stoppable, kinds, batch);
          ASSERT_FALSE(state.ok());
          EXPECT_EQ(state.error().kind, ErrorKind::kCancelled);
          EXPECT_LT(std::chrono::steady_clock::now() - asked, std::chrono::seconds(1));
          EXPECT_FALSE(session.is_broken());
          query = cancelled_error();
          EXPECT_TRUE(session.ping(context).ok());
          stop = std::stop_source();
        });
  }
}

TEST(Statements, SkipWhatServersVolunteer) {
  on_both_kinds(
      [](Peer& peer, const ServerKind&) {
        peer.read_request();
        const Bytes all = {23,  1,                                   // invalidation
                           23,  2,  1, 3,   3, '1', '2', '3',        // process id
                           23,  3,                                   // trace event
                           23,  4,  0, 0,   0, 0,   1,   77,  1, 5,  // session return
                           23,  5,  0, 0,   1, 1,   0,   1,   3, 3, 'A', 'P',
                           'P', 0,  1, 168, 0,                                 // state
                           23,  7,  1, 2,   2, 'l', 't',                       // transaction id
                           23,  8,  0, 0,   1, 1,   0,   0,   1, 1, 1,   'r',  // replay context
                           23,  9,  0, 0,                                      // more state
                           23,  10, 0, 0,   1, 9,   0,   0};                   // signature
        peer.send_response(joined({all, peer.describe(kOneNumber), one_row(peer, 3, "6")}));
      },
      [](Session& session, OpContext& context) {
        EXPECT_EQ(value_of(session, context, "select n from t"), "6");
      });
}

}  // namespace
}  // namespace wherry::oracle
