// What the notes beside captured messages say is in them, found again in what they are decoded as.
// The facts are the notes', not this decoder's.
#include <gtest/gtest.h>

#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "connect/oracle/trace/decode_capture.h"
#include "connect/oracle/trace/scalar_text.h"
#include "connect/oracle/trace/session.h"
#include "connect/oracle/trace/shared_vectors.h"

namespace wherry::oracle::trace {
namespace {

struct Fact {
  int number;           ///< of the message in its file
  const char* message;  ///< what it is, or the one of several
  const char* pointer;  ///< JSON pointer of the value
  Json value;
};

class MessageFacts : public SharedVectorTest {
 protected:
  /// By the number of the message.
  [[nodiscard]] std::map<int, std::vector<Json>> decode(const std::string& name) const {
    std::istringstream in(text_of(name));
    std::ostringstream out;
    EXPECT_TRUE(decode_capture(in, out, name).ok());
    std::map<int, std::vector<Json>> messages;
    std::istringstream lines(out.str());
    for (std::string line; std::getline(lines, line);) {
      Json message = Json::parse(line);
      const int number = message["n"];
      messages[number].push_back(std::move(message));
    }
    return messages;
  }
};

TEST_F(MessageFacts, AreWhatTheNotesSay) {
  const std::vector<Fact> facts = {
      // "Protocol version negotiated is 0x013a = 314"; XE 11.2.0.2; "field_version 6 = 11.2".
      {1, "protocol", "/field_version", 6},
      {7, "connect", "/version", 314},
      {8, "accept", "/version", 314},
      {44, "protocol", "/field_version", 6},
      {45, "protocol", "/field_version", 16},
      // "a real 11g OALL8 execute for `select * from dual`"
      {25, "execute", "/sql", "select * from dual"},
      // "keyword 201 (transaction id) carrying the 2-byte sync state 0x83 0x01"
      {38, "server piggyback", "/code", 5},
      {38, "server piggyback", "/keywords/0/keyword", 201},
      {38, "server piggyback", "/keywords/0/binary", "8301"},
      // "Full 'SELECT 1 FROM dual' response": "the row decodes to 1"
      {40, "describe", "/columns/0/name", "1"},
      {40, "row data", "/rows", Json::array({Json::array({"1"})})},
      // "Full 6-column, 3-row response (SELECT id,name,price,created,code,flag FROM t84)"
      {41, "describe", "/columns/0/name", "ID"},
      {41, "describe", "/columns/1/name", "NAME"},
      {41, "describe", "/columns/2/name", "PRICE"},
      {41, "describe", "/columns/3/name", "CREATED"},
      {41, "describe", "/columns/4/name", "CODE"},
      {41, "describe", "/columns/5/name", "FLAG"},
      {41, "error", "/row_count", 3},
      // "DROP TABLE nonexistent_xyz: ORA-00942", "DML rowcount = 0"
      {46, "error", "/error/text", "ORA-00942: table or view does not exist"},
      {46, "error", "/row_count", 0},
      // 9i: "ORA-01403 = end-of-fetch", one row and three rows; "a real parse-time error"
      {57, "error", "/error/code", 1403},
      {57, "error", "/row_count", 1},
      {58, "error", "/row_count", 3},
      {66, "error", "/error/code", 942},
      // "GETLEN / READ", "c = CLOB 'hello clob content'"
      {61, "lob operation", "/operation", "get length"},
      {62, "lob parameters", "/amount", 18},
      {63, "lob operation", "/operation", "read"},
      {64, "lob data", "/data", hex_text("hello clob content")},
      // "FILE_OPEN -> GETLEN -> READ -> FILE_CLOSE", "20 bytes 'BFILE-9i-content' + ca fe ba be"
      {77, "lob operation", "/operation", "file open"},
      {79, "lob operation", "/operation", "get length"},
      {80, "lob parameters", "/amount", 20},
      {81, "lob operation", "/operation", "read"},
      {82, "lob data", "/data", hex_text("BFILE-9i-content\xCA\xFE\xBA\xBE")},
      {83, "lob operation", "/operation", "file close"},
      // "the alert log; first 32 bytes"
      {89, "lob data", "/data", hex_text("Dump file C:\\oracle\\admin\\ORCL\\b")},
      // "one OUT REF CURSOR bind"
      {120, "bind directions", "/directions", Json::array({"out"})},
  };
  const auto messages = decode("real-messages-8i-to-23ai.txt");
  for (const Fact& fact : facts) {
    const auto found = messages.find(fact.number);
    ASSERT_NE(found, messages.end()) << fact.number;
    bool is_there = false;
    for (const Json& message : found->second) {
      if (message["message"] != fact.message) continue;
      is_there = true;
      const Json::json_pointer pointer(fact.pointer);
      ASSERT_TRUE(message.contains(pointer)) << fact.number << ": " << message;
      EXPECT_EQ(message[pointer], fact.value) << fact.number << " " << fact.pointer;
    }
    EXPECT_TRUE(is_there) << "message " << fact.number << " has no " << fact.message;
  }
}

/// Parts of messages, and what other clients' dialects make of the same numbers, are not decoded as
/// something that they are not.
TEST_F(MessageFacts, PartsOfMessagesAreRefused) {
  const auto messages = decode("real-messages-8i-to-23ai.txt");
  // Locators, images, single columns of a describe, texts, 8i's fixed-width answers.
  for (const int number : {13, 14, 15, 16, 17, 18, 20, 28,  29,  31,  33,  39,  48,
                           50, 51, 52, 53, 54, 84, 91, 106, 108, 109, 111, 118, 119}) {
    for (const Json& message : messages.at(number)) {
      EXPECT_EQ(message["message"], "undecoded") << number << ": " << message;
      EXPECT_FALSE(message["reason"].get<std::string>().empty());
    }
  }
}

}  // namespace
}  // namespace wherry::oracle::trace
