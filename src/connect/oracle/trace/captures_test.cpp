// The captures of real servers and clients, whole: every message, and the rows that are known.
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "connect/oracle/trace/decode_capture.h"
#include "connect/oracle/trace/session.h"
#include "connect/oracle/trace/shared_vectors.h"

namespace wherry::oracle::trace {
namespace {

std::vector<Json> decode_text(const std::string& text, const std::string& name) {
  std::istringstream in(text);
  std::ostringstream out;
  const Result<void> result = decode_capture(in, out, name);
  EXPECT_TRUE(result.ok()) << name;
  std::vector<Json> messages;
  std::istringstream lines(out.str());
  for (std::string line; std::getline(lines, line);) messages.push_back(Json::parse(line));
  return messages;
}

/// A statement, what was bound, and all that came back for it.
struct Statement {
  std::string sql;
  Json binds;
  Json rows = Json::array();
  Json column_names = Json::array();
  std::vector<int> errors;
  std::vector<std::string> error_texts;
  std::int64_t row_count = -1;
};

void add_answer(const Json& message, Statement& statement) {
  if (message.contains("rows")) {
    for (const Json& row : message["rows"]) statement.rows.push_back(row);
  }
  if (message.contains("columns")) {
    for (const Json& column : message["columns"]) {
      statement.column_names.push_back(column["name"]);
    }
  }
  if (message.contains("error")) {
    statement.errors.push_back(message["error"]["code"]);
    statement.error_texts.push_back(message["error"]["text"]);
  }
  if (message.contains("row_count")) statement.row_count = message["row_count"];
}

std::vector<Statement> statements_of(const std::vector<Json>& messages) {
  std::vector<Statement> statements;
  for (const Json& message : messages) {
    if (message.contains("sql")) {
      statements.emplace_back();
      statements.back().sql = message["sql"];
      if (message.contains("binds")) statements.back().binds = message["binds"];
    } else if (!statements.empty() && message["direction"] == "server") {
      add_answer(message, statements.back());
    }
  }
  return statements;
}

/// ORA-01403 only says that there are no more rows.
bool has_failed(const Statement& statement) {
  return !statement.errors.empty() && statement.errors.front() != 1403;
}

class CapturedSessions : public SharedVectorTest {
 protected:
  std::vector<Json> decode(const std::string& name) const {
    return decode_text(text_of(name), name);
  }
  std::vector<Statement> statements(const std::string& name) const {
    return statements_of(decode(name));
  }
  Json expected() const { return Json::parse(text_of("expected-results.json"))["captures"]; }
};

TEST_F(CapturedSessions, LeaveNoByteUndecoded) {
  std::size_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(vectors_)) {
    const std::string name = entry.path().filename();
    if (entry.path().extension() != ".txt" || name.rfind("real-messages", 0) == 0) continue;
    ++files;
    for (const Json& message : decode(name)) {
      EXPECT_NE(message["message"], "undecoded") << name << ": " << message;
    }
  }
  EXPECT_GE(files, 9U);
}

TEST_F(CapturedSessions, NumberTheMessagesByThePacketTheyStartIn) {
  const auto messages = decode("python_thin.txt");
  std::uint64_t last = 0;
  for (const Json& message : messages) {
    EXPECT_GE(message["n"], last);
    last = message["n"];
  }
  EXPECT_EQ(last, 26U);
  EXPECT_EQ(messages.back()["message"], "close");
}

TEST_F(CapturedSessions, GiveTheRowsThatTheServerSent) {
  const Json captures = expected();
  for (const char* name : {"go_ora_numbers", "go_ora_binds"}) {
    const Statement last = statements(std::string(name) + ".txt").back();
    EXPECT_EQ(last.sql, captures[name]["sql"]);
    EXPECT_EQ(last.rows, captures[name]["rows"]);
    EXPECT_EQ(last.binds, captures[name].value("binds", Json()));
  }
}

TEST_F(CapturedSessions, GiveAllRowsOfALargeResult) {
  const Statement last = statements("go_ora_largeresult.txt").back();
  EXPECT_EQ(last.sql, expected()["go_ora_largeresult"]["sql"]);
  ASSERT_EQ(last.rows.size(), 400U);
  for (std::size_t i = 0; i < 400; ++i) {
    std::string payload = "v" + std::to_string(i + 1);
    payload.resize(60, '.');
    EXPECT_EQ(last.rows[i], Json::array({std::to_string(i + 1), payload}));
  }
}

TEST_F(CapturedSessions, TellRowCountsAndErrorsOfEachStatement) {
  const Json wanted = expected()["go_ora_dml"]["statements"];
  std::vector<Statement> seen = statements("go_ora_dml.txt");
  // The client asks for the time before the test's own statements.
  seen.erase(seen.begin());
  ASSERT_EQ(seen.size(), wanted.size());
  for (std::size_t i = 0; i < seen.size(); ++i) {
    EXPECT_EQ(seen[i].sql, wanted[i][0]);
    const Json& outcome = wanted[i][1];
    if (outcome.is_string()) {
      ASSERT_TRUE(has_failed(seen[i])) << seen[i].sql;
      EXPECT_EQ(seen[i].error_texts[0].rfind(outcome.get<std::string>(), 0), 0U);
    } else if (outcome.is_array()) {
      EXPECT_EQ(seen[i].rows, outcome);
    } else {
      EXPECT_FALSE(has_failed(seen[i])) << seen[i].sql;
      EXPECT_EQ(seen[i].row_count, outcome.get<std::int64_t>()) << seen[i].sql;
    }
  }
}

TEST_F(CapturedSessions, FollowAFetchOverBitVectorsAndResponses) {
  const auto seen = statements("python_thin.txt");
  ASSERT_EQ(seen.size(), 4U);
  // The first column is sent once and repeated by bit vectors, over two responses.
  ASSERT_EQ(seen[3].rows.size(), 5U);
  for (const Json& row : seen[3].rows) EXPECT_EQ(row[0], "DEMO");
  EXPECT_EQ(seen[3].rows[0], Json::array({"DEMO", "INDEX", "1872"}));
  EXPECT_EQ(seen[3].rows[4], Json::array({"DEMO", "PACKAGE", "112"}));
  EXPECT_EQ(seen[3].column_names, Json::array({"OWNER", "OBJECT_TYPE", "CNT"}));
  EXPECT_EQ(seen[2].rows, Json::array({Json::array({"1516"})}));
}

TEST_F(CapturedSessions, TellTheErrorsThatMarkersAnnounce) {
  for (const char* name : {"python_thin_failed_stmt.txt", "go_ora_failed_stmt.txt"}) {
    std::vector<int> codes;
    std::size_t markers = 0;
    for (const Json& message : decode(name)) {
      markers += message["message"] == "marker" ? 1U : 0U;
      if (!message.contains("error") || message["error"]["code"] == 1403) continue;
      codes.push_back(message["error"]["code"]);
    }
    const std::vector<int> python = {942, 942, 1, 942, 1476, 20001, 6550};
    const std::vector<int> go = {942, 1, 942, 1476, 20001, 6550};
    EXPECT_EQ(codes, name[0] == 'p' ? python : go) << name;
    EXPECT_GE(markers, 3 * codes.size()) << name;
  }
}

TEST_F(CapturedSessions, ReadProtectedPayloadsOnceTheyAreDecrypted) {
  const auto messages = decode("network-encryption-26ai.txt");
  Json rows = Json::array();
  for (const Json& message : messages) {
    if (message.contains("rows")) rows.push_back(message["rows"]);
  }
  EXPECT_EQ(rows, Json::parse(R"([[["1"]],[["2"]],[["2"]]])"));
}

class CapturedMessages : public SharedVectorTest {};

TEST_F(CapturedMessages, AreReadWithoutTheirContext) {
  const std::string name = "real-messages-8i-to-23ai.txt";
  std::map<int, Json> rows;
  Json price;
  for (const Json& message : decode_text(text_of(name), name)) {
    if (message.contains("rows")) rows[message["n"]] = message["rows"];
    if (message["n"] == 41 && message.contains("columns")) price = message["columns"][2];
  }
  EXPECT_EQ(price["scale"], 2);
  EXPECT_EQ(price["max_bytes"], 22);
  // 21c and 10.2: whole answers with their descriptions.
  EXPECT_EQ(rows[40], Json::parse(R"([["1"]])"));
  EXPECT_EQ(rows[41], Json::parse(R"([["1","alpha","19.99","2020-01-15 00:00:00","AB01","1"],
                                      ["2","beta","100.5","2021-06-30 00:00:00","CD02","0"],
                                      ["3","gamma","0.01","2022-12-25 00:00:00","EF03","1"]])"));
}

TEST_F(CapturedMessages, OfThickClientsAreReadAsFarAsIsCertain) {
  const std::string name = "real-messages-8i-to-23ai.txt";
  std::map<int, Json> native;
  for (const Json& message : decode_text(text_of(name), name)) {
    if (message.contains("dialect")) native.emplace(message["n"], message);
  }
  EXPECT_EQ(native[3]["pairs"]["AUTH_VFR_DATA"], "114B536BF74A14F05F4A");
  EXPECT_EQ(native[3]["pair_flags"]["AUTH_VFR_DATA"], 6949);
  EXPECT_EQ(native[22]["user"], "pyo");
  EXPECT_EQ(native[22]["pairs"]["AUTH_PID"], "3260");
  EXPECT_EQ(native[26]["sql"], "select 1 from dual");
  EXPECT_EQ(native[27]["sql"], "SELECT USER FROM DUAL");
  EXPECT_EQ(native[34]["error"]["code"], 942);
  EXPECT_EQ(native[35]["sql"], "SELECT :n, :s FROM dual");
}

TEST_F(CapturedMessages, AreReadAsRawPackets) {
  const std::vector<std::pair<std::string, std::string>> wanted = {
      {"tns__accept", "accept"},
      {"tns__connect", "connect"},
      {"tns__redirect", "redirect"},
      {"tns__refuse", "refuse"},
      {"tns__resend", "resend"},
      {"tns__marker_request", "marker"},
      {"tns__data_disconnect", "close"},
      {"tns__ano_negotiation_request", "native services"},
      {"tns__data_query_request", "execute"},
      {"tti__data_type_negotiation_request_linux", "data types"},
      {"tti__protocol_negotiation_response_linux_10g", "protocol"}};
  for (const auto& [file, message] : wanted) {
    const auto seen = decode_text(text_of("messages/" + file + ".raw"), file);
    ASSERT_EQ(seen.size(), 1U) << file;
    EXPECT_EQ(seen[0]["message"], message) << file;
  }
}

TEST_F(CapturedMessages, OfTenGReleaseOneAreReadToTheirEnd) {
  const auto seen = decode_text(text_of("messages/tns__data_query_response.raw"), "10g");
  ASSERT_FALSE(seen.empty());
  EXPECT_EQ(seen.back()["error"]["code"], 1403);
  EXPECT_EQ(seen.back()["row_count"], 5);
}

/// Whatever is cut off, flipped or doubled: every line stays JSON and nothing falls over.
TEST_F(CapturedSessions, MayBeDamagedAnywhere) {
  const std::string text = text_of("go_ora_numbers.txt") + "\n" + text_of("python_thin.txt");
  for (std::size_t i = 0; i < text.size(); i += 1009) {
    std::string damaged = text;
    damaged[i] = damaged[i] == 'f' ? '0' : 'f';
    EXPECT_FALSE(decode_text(damaged, "flipped").empty());
    decode_text(text.substr(i), "cut");
  }
}

}  // namespace
}  // namespace wherry::oracle::trace
