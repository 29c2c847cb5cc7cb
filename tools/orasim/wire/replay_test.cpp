// Captured sessions of real clients: every request in them must be taken by the decoders, to its
// last byte. The captures lie outside the repository ($WHERRY_SHARED, else ../shared).
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "wire/ano.h"
#include "wire/auth.h"
#include "wire/packet.h"
#include "wire/request.h"
#include "wire/sql_scan.h"
#include "wire/test_hex.h"

namespace orasim::wire {
namespace {

std::filesystem::path captures() {
  const char* root = std::getenv("WHERRY_SHARED");
  return std::filesystem::path(root != nullptr ? root : "../shared") / "vectors/oracle-wire";
}

struct Packet {
  bool from_client = false;
  int flow = 0;
  Bytes bytes;
};

std::vector<Packet> read_capture(const std::filesystem::path& file) {
  std::ifstream in(file);
  std::vector<Packet> packets;
  std::string line, digits;
  const auto flush = [&] {
    if (!packets.empty() && !digits.empty()) packets.back().bytes = hex(digits);
    digits.clear();
  };
  while (std::getline(in, line)) {
    if (line.starts_with("# direction=")) {
      flush();
      const std::size_t flow = line.find("flow=");
      packets.push_back({line.find("direction=client") != std::string::npos,
                         std::atoi(line.c_str() + flow + 5),
                         {}});
    } else if (!line.empty() && line[0] != '#') {
      digits += line;
    }
  }
  flush();
  return packets;
}

/// One connection's client side: decodes request by request.
class ClientReplay : CursorShapes {
 public:
  void take(const Bytes& packet) {
    const PacketHeader header = decode_header(ByteView(packet).first(8), wide_);
    ASSERT_EQ(header.length, packet.size());
    switch (header.type) {
      case PacketType::kConnect:
        connect_ = decode_connect(packet);
        break;
      case PacketType::kMarker:
        decode_marker(packet);
        break;
      case PacketType::kData:
        take_payload(ByteView(packet).subspan(kDataHeader));
        break;
      default:
        ADD_FAILURE() << "client packet of type " << static_cast<int>(header.type);
    }
  }
  void server_accepted() { wide_ = true; }
  /// The server has begun to answer: everything the client sent must be decoded by now.
  void expect_complete() {
    if (!payload_.empty()) take_messages();
  }

  int messages = 0;

 private:
  void take_payload(ByteView payload) {
    if (connect_.data.empty() && connect_.data_length > 0) {
      EXPECT_EQ(payload.size(), connect_.data_length);
      connect_.data = as_text(payload);
      EXPECT_FALSE(connect_value(connect_.data, "SERVICE_NAME").empty());
      return;
    }
    payload_.insert(payload_.end(), payload.begin(), payload.end());
  }

  void take_messages() {
    Reader in{ByteView(payload_)};
    while (in.buffered() > 0) take_message(in);
    payload_.clear();
  }

  void take_message(Reader& in) {
    ++messages;
    if (in.peek() == 0xDE) {
      decode_ano_offer(in);
      return;
    }
    switch (static_cast<Message>(in.u8())) {
      case Message::kProtocol:
        EXPECT_FALSE(decode_protocol(in).driver.empty());
        break;
      case Message::kDataTypes:
        settle(decode_data_types(in));
        break;
      case Message::kFastAuth:
        take_fast_auth(in);
        break;
      case Message::kPiggyback: {
        const FunctionHeader header = decode_function_header(in, dialect_);
        decode_piggyback(in, header.function, dialect_);
        break;
      }
      case Message::kFunction:
        take_function(in);
        break;
      default:
        throw BadMessage("unexpected message");
    }
  }

  void settle(const DataTypesRequest& request) {
    EXPECT_GT(request.types.size(), 200U);
    EXPECT_EQ(request.types.front().type, 1);
    dialect_.field_version = request.capability(7);
    dialect_.text_is_clr = (request.encoding_flags & 2) != 0;
    dialect_.scale_is_sb2 = request.representation_of(27) == 1;
  }

  void take_fast_auth(Reader& in) {
    const FastAuthHead head = decode_fast_auth(in);
    settle(head.data_types);
    Dialect inner = dialect_;
    inner.field_version = head.field_version;
    ASSERT_EQ(in.u8(), 3);
    EXPECT_EQ(decode_function_header(in, inner).function, Function::kAuthOne);
    EXPECT_FALSE(decode_auth(in, inner).user.empty());
  }

  void take_function(Reader& in) {
    const FunctionHeader header = decode_function_header(in, dialect_);
    switch (header.function) {
      case Function::kAuthOne:
      case Function::kAuthTwo:
        EXPECT_FALSE(decode_auth(in, dialect_).pairs.empty());
        break;
      case Function::kExecute:
        check(decode_execute(in, dialect_, *this));
        break;
      case Function::kReexecute:
      case Function::kReexecuteAndFetch:
        decode_reexecute(in, dialect_, *this);
        break;
      case Function::kFetch:
        EXPECT_GT(decode_fetch(in).rows, 0U);
        break;
      case Function::kVersion:
        skip_version_request(in, dialect_);
        break;
      case Function::kLobOperation:
        decode_lob_request(in);
        break;
      default:
        EXPECT_TRUE(header.function == Function::kCommit || header.function == Function::kPing ||
                    header.function == Function::kRollback || header.function == Function::kLogoff)
            << "function " << static_cast<int>(header.function);
    }
  }

  static void check(const ExecuteRequest& request) {
    if (!request.sql) return;
    EXPECT_EQ(scan_sql(*request.sql).returning.size(), request.binds.size()) << *request.sql;
    for (const BindRow& row : request.rows) EXPECT_EQ(row.size(), request.binds.size());
  }

  // Re-executions in the captures are by clients that send no binds with them.
  [[nodiscard]] const CursorShape* shape_of(std::uint32_t) const override { return nullptr; }

  bool wide_ = false;
  ConnectRequest connect_;
  Dialect dialect_;
  Bytes payload_;
};

class Replay : public testing::TestWithParam<const char*> {};

TEST_P(Replay, EveryRequestDecodesToItsLastByte) {
  const std::filesystem::path file = captures() / GetParam();
  if (!std::filesystem::exists(file)) {
    if (std::getenv("WHERRY_SHARED") != nullptr) FAIL() << file << " is missing";
    GTEST_SKIP() << "no captures here: set WHERRY_SHARED";
  }
  std::map<int, ClientReplay> flows;
  for (const Packet& packet : read_capture(file)) {
    ClientReplay& flow = flows[packet.flow];
    if (packet.from_client) {
      flow.take(packet.bytes);
      continue;
    }
    flow.expect_complete();
    if (packet.bytes[4] == static_cast<std::uint8_t>(PacketType::kAccept)) flow.server_accepted();
  }
  int messages = 0;
  for (auto& [number, flow] : flows) {
    flow.expect_complete();
    messages += flow.messages;
  }
  EXPECT_GT(messages, 5);
}

INSTANTIATE_TEST_SUITE_P(Captures, Replay,
                         testing::Values("python_thin.txt", "python_thin_failed_stmt.txt",
                                         "go_ora.txt", "go_ora_binds.txt", "go_ora_dml.txt",
                                         "go_ora_failed_stmt.txt", "go_ora_largeresult.txt",
                                         "go_ora_numbers.txt"));

}  // namespace
}  // namespace orasim::wire
