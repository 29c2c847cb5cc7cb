// Messages without their session, of servers from 8.1.7 to 23ai: what each is decoded as, or why it
// is refused. A '!' stands before the reason.
#include <filesystem>
#include <map>
#include <sstream>
#include <string>

#include "connect/oracle/trace/decode_capture.h"
#include "connect/oracle/trace/session.h"
#include "connect/oracle/trace/shared_vectors.h"

namespace wherry::oracle::trace {
namespace {

std::string outcome_of(const Json& message) {
  std::string text = message["message"];
  if (text == "undecoded") {
    const std::string reason = message["reason"];
    text = "!" + reason.substr(0, reason.find(';'));
  }
  return message.contains("dialect") ? text + " (native)" : text;
}

/// By the number of the message; several outcomes in one line.
std::map<int, std::string> outcomes_of(const std::string& file) {
  std::istringstream in(file);
  std::ostringstream out;
  EXPECT_TRUE(decode_capture(in, out, "messages").ok());
  std::map<int, std::string> outcomes;
  std::istringstream lines(out.str());
  for (std::string line; std::getline(lines, line);) {
    const Json message = Json::parse(line);
    std::string& text = outcomes[message["n"]];
    text += (text.empty() ? "" : " | ") + outcome_of(message);
  }
  return outcomes;
}

// What is refused is not a message of its own (locators, images, parts of packets), a thick
// client's, or needs what its request said: columns, binds (except for REF CURSORs). 8i and 9.2
// servers are refused by the client.
const std::map<int, std::string>& wanted_outcomes() {
  static const std::map<int, std::string> wanted = {
      {1, "protocol"},
      {2, "native services"},
      {3, "auth parameters (native) | end of call (native)"},
      {4, "auth parameters (native) | end of call (native)"},
      {5, "data types"},
      {6, "data types"},
      {7, "connect"},
      {8, "accept"},
      {9, "native services"},
      {10, "native services"},
      {11, "protocol"},
      {12, "protocol"},
      {13, "!a response cannot hold this message type"},
      {14, "!a request cannot start with this message type"},
      {15, "!a request cannot start with this message type"},
      {16, "!a request cannot start with this message type"},
      {17, "!a response cannot hold this message type"},
      {18, "!a response cannot hold this message type"},
      {19, "!the protocol reply's FDO is too short"},
      {20, "!a response cannot hold this message type"},
      {21, "!an integer is longer than its field"},
      {22, "auth phase two (native)"},
      {23, "auth phase one (native)"},
      {24, "auth phase one (native)"},
      {25, "execute"},
      {26, "execute (native)"},
      {27, "execute (native)"},
      {28, "!a response cannot hold this message type"},
      {29, "!a response cannot hold this message type"},
      {30, "!an integer is longer than its field"},
      {31, "!a response cannot hold this message type"},
      {32, "piggyback close cursors (native) | !the native integer form of thick clients"},
      {33, "!a response cannot hold this message type"},
      {34, "error (native)"},
      {35, "execute (native)"},
      {36, "!an integer is longer than its field"},
      {37, "transaction switch"},
      {38, "server piggyback | status"},
      {39, "!a response cannot hold this message type"},
      {40, "describe | row header | row data | return parameters | error"},
      {41, "describe | row header | row data | return parameters | error"},
      {42,
       "row header | !rows of a cursor whose columns are not known | return parameters "
       "| end of call | end of response"},
      {43, "!a response cannot hold this message type | return parameters | end of call"},
      {44, "protocol"},
      {45, "protocol"},
      {46, "error"},
      {47, "!the message ends early: the capture ends"},
      {48, "!a response cannot hold this message type"},
      {49, "!the message ends early: the capture ends"},
      {50, "!a response cannot hold this message type"},
      {51, "!a response cannot hold this message type"},
      {52, "!a list of data types that is empty"},
      {53, "!a list of data types that is empty"},
      {54, "!a list of data types that is empty"},
      {55, "return parameters | !a response cannot hold this message type | end of call"},
      {56, "!an integer is longer than its field"},
      {57, "row header | !rows of a cursor whose columns are not known | error"},
      {58,
       "row header | !rows of a cursor whose columns are not known | return parameters "
       "| error"},
      {59, "row header | !rows of a cursor whose columns are not known | error"},
      {60, "!an integer is longer than its field | error"},
      {61, "lob operation"},
      {62, "lob parameters | end of call"},
      {63, "lob operation"},
      {64, "lob data | lob parameters | end of call"},
      {65, "!an integer is longer than its field | error"},
      {66, "error"},
      {67, "!an integer is longer than its field"},
      {68, "execute (version 7)"},
      {69, "return parameters | end of call"},
      {70, "execute (version 7)"},
      {71, "return parameters | end of call"},
      {72, "execute (version 7)"},
      {73, "!an integer is longer than its field | return parameters | end of call"},
      {74, "!rows of a cursor whose columns are not known | return parameters | end of call"},
      {75, "!rows of a cursor whose columns are not known | return parameters | end of call"},
      {76, "!an integer is longer than its field | error"},
      {77, "lob operation"},
      {78, "lob parameters | end of call"},
      {79, "lob operation"},
      {80, "lob parameters | end of call"},
      {81, "lob operation"},
      {82, "lob data | lob parameters | end of call"},
      {83, "lob operation"},
      {84, "!a response cannot hold this message type"},
      {85, "!a LOB operation without a number"},
      {86, "!an integer is longer than its field"},
      {87, "!a LOB operation without a number"},
      {88, "!an integer is longer than its field"},
      {89, "lob data | !an integer is longer than its field"},
      {90, "!a LOB operation without a number"},
      {91, "!a request cannot start with this message type"},
      {92, "data types"},
      {93, "data types"},
      {94, "!an integer is longer than its field"},
      {95, "execute (native)"},
      {96, "execute (native)"},
      {97, "!an integer is longer than its field"},
      {98, "!an integer is longer than its field"},
      {99, "execute (native)"},
      {100, "execute (native)"},
      {101, "execute (native)"},
      {102, "!an integer is longer than its field"},
      {103, "!an integer is longer than its field"},
      {104, "!an integer is longer than its field"},
      {105, "execute (native)"},
      {106, "!directions of no binds"},
      {107, "execute (native)"},
      {108, "!directions of no binds"},
      {109, "!directions of no binds"},
      {110, "execute (native)"},
      {111, "!directions of no binds"},
      {112, "!an integer is longer than its field"},
      {113, "!a LOB operation without a number"},
      {114, "lob data | !an integer is longer than its field"},
      {115, "!an integer is longer than its field"},
      {116, "row header | !a response cannot hold this message type"},
      {117, "row header | !a response cannot hold this message type"},
      {118, "!a request cannot start with this message type"},
      {119, "!a request cannot start with this message type"},
      {120, "bind directions | out binds | return parameters | end of call"},
  };
  return wanted;
}

class MessageTable : public SharedVectorTest {};

TEST_F(MessageTable, SaysWhatEachMessageIsOrWhyItIsRefused) {
  const auto outcomes = outcomes_of(text_of("real-messages-8i-to-23ai.txt"));
  EXPECT_EQ(outcomes.size(), wanted_outcomes().size());
  for (const auto& [number, wanted] : wanted_outcomes()) {
    const auto found = outcomes.find(number);
    ASSERT_NE(found, outcomes.end()) << number;
    EXPECT_EQ(found->second, wanted) << "message " << number;
  }
}

/// Single packets and payloads as files of their own, also those that nobody named here.
TEST_F(MessageTable, ReadsEveryRawFile) {
  std::size_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(vectors_ / "messages")) {
    if (entry.path().extension() != ".raw") continue;
    const std::string name = entry.path().filename();
    // Six zero bytes that other tests put instead of a message.
    if (name.find("stub") != name.npos) continue;
    ++files;
    for (const auto& [number, outcome] : outcomes_of(text_of("messages/" + name))) {
      EXPECT_EQ(outcome.find('!'), outcome.npos) << name << ": " << outcome;
    }
  }
  EXPECT_GE(files, 20U);
}

}  // namespace
}  // namespace wherry::oracle::trace
