// Captured servers played to the client, whatever client they were captured with: the client takes
// on the captured one's dialect, repeats its calls, and has to get from the same bytes what
// decode_capture() gets, to the last byte. Every capture beside the project is played.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "connect/oracle/client.h"
#include "connect/oracle/replay_server.h"
#include "connect/oracle/statement.h"
#include "connect/oracle/trace/capture_text.h"
#include "connect/oracle/trace/flow.h"
#include "connect/oracle/trace/handshake_request.h"
#include "connect/oracle/trace/shared_vectors.h"
#include "connect/oracle/value_text.h"

namespace wherry::oracle {
namespace {

using replay::Recording;
using trace::Json;

constexpr std::size_t kType = 4;
constexpr std::uint8_t kMarkerType = 12, kDataType = 6;
constexpr std::size_t kMaxTurnBytes = 64U << 20;

/// What the client said until the server answered, and the answer.
struct Exchange {
  bool is_marker = false;
  std::string client_bytes;  ///< whole packets
  std::string server_bytes;
  std::vector<Json> asked, answered;

  /// The request behind its piggybacks.
  [[nodiscard]] const Json* request() const {
    const auto is_call = [](const Json& message) {
      return message["message"].get<std::string>().rfind("piggyback", 0) != 0;
    };
    const auto found = std::find_if(asked.begin(), asked.end(), is_call);
    return found != asked.end() ? &*found : nullptr;
  }
  [[nodiscard]] std::string name() const {
    const Json* message = request();
    return is_marker ? "marker" : message != nullptr ? (*message)["message"] : Json("");
  }
};

struct CapturedConnection {
  std::vector<Exchange> exchanges;
  wire::Accept accept;
  wire::Dialect dialect;  ///< as decode_capture() found it
};

/// The connections of a capture. `n` of a message names the packet in which it starts.
class CapturedConnections {
 public:
  void add(const trace::Block& block) {
    if (block.is_alone || block.is_payload || block.bytes.size() <= kType) return;
    One& one = ones_.try_emplace(block.flow).first->second;
    const bool is_client = block.direction == trace::Direction::kClient;
    const bool is_marker = block.bytes[kType] == kMarkerType;
    if (is_client && (one.exchanges.empty() || !one.was_client || is_marker)) {
      one.exchanges.emplace_back().is_marker = is_marker;
    }
    one.was_client = is_client;
    if (one.exchanges.empty()) return;
    Exchange& exchange = one.exchanges.back();
    (is_client ? exchange.client_bytes : exchange.server_bytes) += block.bytes;
    one.exchange_of[block.number] = one.exchanges.size() - 1;
    one.flow.add(block);
  }

  std::vector<CapturedConnection> take() {
    std::vector<CapturedConnection> connections;
    for (auto& [number, one] : ones_) connections.push_back(one.take());
    return connections;
  }

 private:
  struct One {
    One()
        : flow(
              [this](std::uint64_t n, std::uint64_t, trace::Direction direction, Json fields) {
                messages.push_back({n, direction, std::move(fields)});
              },
              kMaxTurnBytes) {}

    CapturedConnection take() {
      flow.finish();
      CapturedConnection connection;
      for (Message& message : messages) {
        Exchange& exchange = exchanges.at(exchange_of.at(message.number));
        const bool is_client = message.direction == trace::Direction::kClient;
        (is_client ? exchange.asked : exchange.answered).push_back(std::move(message.fields));
      }
      connection.exchanges = std::move(exchanges);
      connection.dialect = flow.session().dialect;
      return connection;
    }

    struct Message {
      std::uint64_t number;
      trace::Direction direction;
      Json fields;
    };
    std::vector<Message> messages;
    std::vector<Exchange> exchanges;
    std::map<std::uint64_t, std::size_t> exchange_of;
    bool was_client = false;
    trace::Flow flow;
  };
  std::map<std::uint64_t, One> ones_;
};

/// The packets of `bytes`, of one form of header.
std::vector<std::string_view> packets_of(std::string_view bytes, bool has_large_header) {
  std::vector<std::string_view> packets;
  while (!bytes.empty()) {
    wire::Reader in(wire::bytes_of(bytes));
    const auto header = wire::decode_header(in, has_large_header, wire::kMaxPacketBytes);
    if (!in.ok() || header.length > bytes.size()) break;
    packets.push_back(bytes.substr(0, header.length));
    bytes.remove_prefix(header.length);
  }
  return packets;
}

std::string payload_of(std::string_view bytes, bool has_large_header) {
  std::string payload;
  for (const std::string_view packet : packets_of(bytes, has_large_header)) {
    if (static_cast<std::uint8_t>(packet[kType]) != kDataType) continue;
    payload += packet.substr(wire::kDataHeaderBytes);
  }
  return payload;
}

void read_accept(CapturedConnection& connection) {
  for (const Exchange& exchange : connection.exchanges) {
    for (const std::string_view packet : packets_of(exchange.server_bytes, false)) {
      if (packet[kType] != static_cast<char>(wire::PacketType::kAccept)) continue;
      wire::Reader in(wire::bytes_of(packet.substr(wire::kHeaderBytes)));
      connection.accept = wire::decode_accept(in);
      return;
    }
  }
}

// --- What the captured client did, one step a call of Session ---

/// As the client prints it: local times have the zone of the database, which is played as UTC.
std::optional<std::string> text_of_value(const Json& value, const Json& column) {
  if (value.is_null()) return std::nullopt;
  const bool is_local = column.value("type", std::string()) == "TIMESTAMP WITH LOCAL TIME ZONE";
  return value.get<std::string>() + (is_local ? " +00:00" : "");
}

/// Names the first row that differs; all of them are too many to print.
void expect_rows(const std::vector<TextRow>& seen, const std::vector<TextRow>& wanted) {
  EXPECT_EQ(seen.size(), wanted.size());
  for (std::size_t i = 0; i < std::min(seen.size(), wanted.size()); ++i) {
    if (seen[i] == wanted[i]) continue;
    ADD_FAILURE() << "row " << i << ": " << ::testing::PrintToString(seen[i]) << "\nis not "
                  << ::testing::PrintToString(wanted[i]);
    return;
  }
}

struct Step {
  std::string name;  ///< of the request
  Json request;
  std::vector<std::size_t> exchanges;
  std::vector<Json> answers;

  /// Not the end of rows, nor rows of an array that failed.
  [[nodiscard]] const Json* error() const {
    for (const Json& answer : answers) {
      if (answer["message"] != "error") continue;
      const int code = answer["error"]["code"];
      if (code != 1403 && code != 24381) return &answer["error"];
    }
    return nullptr;
  }
  [[nodiscard]] std::vector<TextRow> rows() const {
    std::vector<TextRow> rows;
    Json columns;
    for (const Json& answer : answers) {
      if (answer.contains("columns")) columns = answer["columns"];
      if (!answer.contains("rows")) continue;
      for (const Json& row : answer["rows"]) {
        TextRow& texts = rows.emplace_back();
        for (std::size_t i = 0; i < row.size(); ++i) {
          texts.push_back(text_of_value(row[i], i < columns.size() ? columns[i] : Json::object()));
        }
      }
    }
    return rows;
  }
  [[nodiscard]] std::uint64_t row_count() const {
    std::uint64_t count = 0;
    for (const Json& answer : answers) count = answer.value("row_count", count);
    return count;
  }
};

bool is_one_of(std::string_view name, std::initializer_list<std::string_view> names) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

/// The session is set up by these, before any step.
bool is_set_up(std::string_view name) {
  return is_one_of(name, {"connect", "connect data", "native services", "protocol", "data types",
                          "fast auth", "auth phase one", "auth phase two"});
}

/// Goes on with the statement before: more rows, or its columns defined.
bool continues_statement(const Json& request) {
  if (request["message"] == "fetch") return true;
  if (request["message"] != "execute") return false;
  const Json& options = request["options"];
  return std::find(options.begin(), options.end(), "execute") == options.end();
}

struct Plan {
  std::vector<std::size_t> set_up;  ///< exchanges
  std::vector<Step> steps;
  std::set<std::string> left_out;  ///< requests that the client never makes
};

Plan plan_of(const CapturedConnection& connection) {
  Plan plan;
  for (std::size_t i = 0; i < connection.exchanges.size(); ++i) {
    const Exchange& exchange = connection.exchanges[i];
    const std::string name = exchange.name();
    if (is_set_up(name)) {
      plan.set_up.push_back(i);
      continue;
    }
    const Json* request = exchange.request();
    const bool goes_on =
        exchange.is_marker || (request != nullptr && continues_statement(*request));
    if (goes_on && !plan.steps.empty()) {
      // Nothing to add: the client does this by itself.
    } else if (request != nullptr && is_one_of(name, {"execute", "reexecute", "reexecute and fetch",
                                                      "ping", "commit", "rollback", "logoff"})) {
      plan.steps.push_back({name, *request, {}, {}});
    } else {
      if (name != "close") plan.left_out.insert(name);
      continue;
    }
    Step& step = plan.steps.back();
    step.exchanges.push_back(i);
    step.answers.insert(step.answers.end(), exchange.answered.begin(), exchange.answered.end());
  }
  return plan;
}

// --- The server's side ---

using Cuts = std::function<bool(std::size_t)>;

/// Reads one message of the client: packets as long as they are full. False: it has gone.
bool read_message(int fd, const wire::Accept& accept, bool& is_marker) {
  const auto read_exactly = [fd](std::string& into, std::size_t size) {
    while (into.size() < size) {
      char bytes[4096];
      const ssize_t got = ::recv(fd, bytes, std::min(sizeof bytes, size - into.size()), 0);
      if (got <= 0) return false;
      into.append(bytes, static_cast<std::size_t>(got));
    }
    return true;
  };
  while (true) {
    std::string packet;
    if (!read_exactly(packet, wire::kHeaderBytes)) return false;
    wire::Reader in(wire::bytes_of(packet));
    const auto header = wire::decode_header(in, accept.has_large_header(), wire::kMaxPacketBytes);
    if (!in.ok() || !read_exactly(packet, header.length)) return false;
    is_marker = header.type == wire::PacketType::kMarker;
    if (is_marker || header.length < accept.sdu_bytes) return true;
  }
}

/// Answers each message with the next of `exchanges`; what went wrong, or nothing.
std::string play_exchanges(int fd, const CapturedConnection& connection,
                           const std::vector<std::size_t>& exchanges, const Cuts& cuts) {
  std::size_t offset = 0;
  for (const std::size_t i : exchanges) {
    const Exchange& exchange = connection.exchanges[i];
    bool is_marker = false;
    if (!read_message(fd, connection.accept, is_marker))
      return "the client left at " + exchange.name();
    if (is_marker != exchange.is_marker) return "the client did not say: " + exchange.name();
    std::string_view bytes = exchange.server_bytes;
    while (!bytes.empty()) {
      std::size_t size = 1;
      while (size < bytes.size() && !cuts(offset + size)) ++size;
      if (!replay::write_all(fd, bytes.substr(0, size)) || !replay::wait_until_read(fd)) {
        return "the client left in the answer to " + exchange.name();
      }
      bytes.remove_prefix(size);
      offset += size;
    }
  }
  // Until the client closes.
  char rest[256];
  while (::recv(fd, rest, sizeof rest, 0) > 0) continue;
  return {};
}

// --- The client's side ---

/// The inverse of name_of(), and whether the type is of the national character set.
std::pair<OracleType, bool> type_of_name(std::string name) {
  const bool is_national = name == "NVARCHAR2" || name == "NCHAR" || name == "NCLOB";
  if (is_national) name.erase(0, 1);
  for (int number = 1; number <= 255; ++number) {
    const auto type = static_cast<OracleType>(number);
    if (name_of(type) == name) return {type, is_national};
  }
  return {OracleType::kVarchar, is_national};
}

Bind in_bind(const std::string& type_name, const Json& value) {
  const auto [type, is_national] = type_of_name(type_name);
  if (value.is_null()) return Bind::null(type);
  const std::string text = value;
  if (type == OracleType::kNumber && Bind::is_number_text(text)) return Bind::number(text);
  return is_national ? Bind::national_text(text) : Bind::text(text);
}

/// Other values than the captured ones where there is no making them from their text: the server
/// answers all the same, and what comes back has the type.
Bind out_bind(const std::string& type_name) {
  constexpr std::uint32_t kRoom = 32767;
  const auto [type, is_national] = type_of_name(type_name);
  const bool is_text = type == OracleType::kVarchar || type == OracleType::kRaw;
  if (is_national) return Bind::out_national(type, kRoom);
  return Bind::out(type, is_text ? kRoom : 0);
}

/// Rows of binds, one for each row of an array.
std::vector<std::vector<Bind>> binds_of(const Step& step) {
  std::vector<std::vector<Bind>> rows;
  if (!step.request.contains("bind_types")) return {{}};
  const Json& types = step.request["bind_types"];
  Json values = step.request.value("binds", Json::array());
  if (values.empty() || !values[0].is_array()) values = Json::array({values});
  Json directions, returned;
  for (const Json& answer : step.answers) {
    if (answer.contains("directions")) directions = answer["directions"];
    if (answer.contains("out_binds")) returned = answer["out_binds"];
  }
  // Those of a RETURNING clause stand last.
  const std::size_t first_returned =
      directions.is_null() && !returned.is_null() ? types.size() - returned.size() : types.size();
  for (const Json& row : values) {
    std::vector<Bind>& binds = rows.emplace_back();
    for (std::size_t i = 0; i < types.size(); ++i) {
      const bool is_out = i >= first_returned || (i < directions.size() && directions[i] != "in");
      binds.push_back(is_out ? out_bind(types[i])
                             : in_bind(types[i], i < row.size() ? row[i] : Json(nullptr)));
    }
  }
  return rows;
}

bool has_option(const Step& step, std::string_view name) {
  const Json options = step.request.value("options", Json::array());
  return std::find(options.begin(), options.end(), name) != options.end();
}

/// One session's client, and the checks of what it gets.
class Client {
 public:
  explicit Client(LoggedIn login, std::uint32_t cache_size)
      : caller_(*login.caller), session_(std::move(login), cache_size) {}

  void run(const Step& step) {
    SCOPED_TRACE(step.name + " " + step.request.value("sql", std::string()));
    OpContext context;
    context.deadline = std::chrono::steady_clock::now() + std::chrono::seconds(120);
    const std::optional<Error> failure = call(context, step);
    const Json* const wanted = step.error();
    ASSERT_EQ(failure.has_value(), wanted != nullptr)
        << (failure ? failure->to_paragraph() : std::string("no error"));
    if (failure) {
      const std::string text = (*wanted)["text"];
      EXPECT_NE(failure->to_paragraph().find(text.substr(0, text.find('\n'))), std::string::npos)
          << failure->to_paragraph();
    }
    EXPECT_FALSE(caller_.response_pending());
    EXPECT_EQ(caller_.window().size(), 0U) << "bytes of the response are left";
  }

 private:
  std::optional<Error> call(OpContext& context, const Step& step) {
    if (step.name == "ping") return error_of(session_.ping(context));
    if (step.name == "commit") return error_of(session_.commit(context));
    if (step.name == "rollback") return error_of(session_.rollback(context));
    if (step.name == "logoff") return error_of(session_.close(context));
    const std::string sql = step.request["sql"];
    const std::vector<std::vector<Bind>> binds = binds_of(step);
    if (kind_of_statement(sql) == StatementKind::kQuery) {
      const auto rows = session_.rows(context, sql, binds[0]);
      if (!rows.ok()) return rows.error();
      expect_rows(*rows, step.rows());
      return std::nullopt;
    }
    ExecuteOptions options;
    options.batch_errors = has_option(step, "batch_errors");
    options.array_row_counts =
        std::any_of(step.answers.begin(), step.answers.end(),
                    [](const Json& answer) { return answer.contains("row_counts"); });
    const auto done = session_.execute_array(context, sql, binds, options);
    if (!done.ok()) return done.error();
    check(context, step, *done);
    return std::nullopt;
  }

  void check(OpContext& context, const Step& step, const ExecResult& done) {
    EXPECT_EQ(done.row_count, step.row_count());
    std::vector<TextRow> rows;
    for (const Json& answer : step.answers) {
      if (answer.contains("batch_errors")) {
        EXPECT_EQ(done.batch_errors.size(), answer["batch_errors"].size());
      }
      if (answer.contains("out_binds")) check_out(done, answer["out_binds"]);
    }
    // Its cursors are read where the captured client did so.
    if (step.exchanges.size() == 1) return;
    for (const auto* cursors : {&done.cursors, &done.implicit_results}) {
      for (const auto& cursor : *cursors) {
        if (cursor != nullptr) read_cursor(context, *cursor, rows);
      }
    }
    expect_rows(rows, step.rows());
  }

  /// Values in the order of their binds; cursors and LOBs are no text.
  static void check_out(const ExecResult& done, const Json& values) {
    std::size_t next = done.returned.size() - std::min(done.returned.size(), values.size());
    if (!done.returned.empty()) {
      for (const Json& list : values) EXPECT_EQ(done.returned[next++].size(), list.size());
      return;
    }
    std::vector<std::string> wanted, seen;
    for (const Json& value : values) {
      if (!value.is_string()) continue;
      const std::string text = value;
      if (text.rfind("cursor ", 0) != 0 && text.rfind("locator ", 0) != 0) wanted.push_back(text);
    }
    for (const auto& value : done.out) {
      if (value) seen.push_back(*value);
    }
    EXPECT_EQ(seen, wanted);
  }

  static void read_cursor(OpContext& context, Query& cursor, std::vector<TextRow>& rows) {
    std::vector<CellKind> kinds;
    for (const ColumnDescription& column : cursor.columns()) {
      kinds.push_back(natural_kind(column).value_or(CellKind::kText));
    }
    RowBatch batch;
    FetchState state = FetchState::kMore;
    while (state == FetchState::kMore) {
      const auto fetched = cursor.fetch(context, kinds, batch);
      ASSERT_TRUE(fetched.ok()) << fetched.error().to_paragraph();
      state = *fetched;
      for (std::size_t r = 0; r < batch.row_count(); ++r) {
        TextRow& row = rows.emplace_back();
        for (std::size_t c = 0; c < batch.column_count(); ++c) {
          row.push_back(value_text(batch.at(r, c)));
        }
      }
    }
  }

  static std::optional<Error> error_of(const Result<void>& result) {
    return result.ok() ? std::nullopt : std::optional<Error>(result.error());
  }

  Caller& caller_;
  SessionImpl session_;
};

std::unique_ptr<Channel> channel_over(std::unique_ptr<net::Stream> stream,
                                      const wire::Accept& accept) {
  auto channel = std::make_unique<Channel>(std::move(stream));
  channel->accept(accept);
  return channel;
}

constexpr std::chrono::milliseconds kPatience{60'000};

/// A session that is logged in already, in the captured client's dialect.
LoggedIn session_without_log_in(std::unique_ptr<net::Stream> stream,
                                const CapturedConnection& connection) {
  LoggedIn login;
  login.caller =
      std::make_unique<Caller>(channel_over(std::move(stream), connection.accept), kPatience);
  login.caller->set_logged_in(connection.dialect);
  login.database_zone = wire::ZoneField();
  return login;
}

// --- Log-ins ---

/// What the captured client announced.
std::optional<Announcement> announcement_of(const CapturedConnection& connection) {
  for (const Exchange& exchange : connection.exchanges) {
    const std::string payload =
        payload_of(exchange.client_bytes, connection.accept.has_large_header());
    wire::Reader in(wire::bytes_of(payload));
    if (exchange.name() == "fast auth") {
      constexpr std::size_t kHeadBytes = 4, kMiddleBytes = 6;
      in.skip(kHeadBytes + 1);
      trace::decode_protocol_request(in);
      in.skip(kMiddleBytes);
    } else if (exchange.name() != "data types") {
      continue;
    }
    in.skip(1);
    return Announcement{trace::decode_data_types_request(in, {}), connection.dialect.has_checksum};
  }
  return std::nullopt;
}

std::vector<wire::KeyValue> pairs_of(const std::vector<Json>& messages) {
  std::vector<wire::KeyValue> pairs;
  for (const Json& message : messages) {
    if (!message.contains("pairs")) continue;
    for (const auto& [key, value] : message["pairs"].items()) {
      if (!value.is_string()) continue;
      const Json flags = message.value("pair_flags", Json::object());
      pairs.push_back({key, value, flags.value(key, 0U)});
    }
  }
  return pairs;
}

template <std::size_t N>
void copy_start_of(const wire::Bytes& from, std::array<std::uint8_t, N>& to) {
  std::copy_n(from.begin(), std::min(from.size(), to.size()), to.begin());
}

/// What the captured client drew, which its password tells.
std::optional<wire::LoginRandom> random_of(const CapturedConnection& connection,
                                           std::string_view password) {
  std::vector<wire::KeyValue> challenge_pairs, proof;
  for (const Exchange& exchange : connection.exchanges) {
    if (is_one_of(exchange.name(), {"fast auth", "auth phase one"})) {
      challenge_pairs = pairs_of(exchange.answered);
    }
    if (exchange.name() == "auth phase two") proof = pairs_of(exchange.asked);
  }
  const auto challenge = wire::read_challenge(challenge_pairs);
  if (!challenge.ok()) return std::nullopt;
  const auto decrypt = [&proof](const wire::Bytes& key, std::string_view name) {
    const wire::KeyValue* pair = wire::find_key(proof, name);
    const auto bytes = pair != nullptr ? wire::from_hex(pair->value) : std::nullopt;
    return bytes ? wire::aes_cbc_decrypt(key, *bytes) : wire::Bytes();
  };
  wire::LoginRandom random;
  const wire::Bytes key = wire::password_key(*challenge, password);
  const wire::Bytes client_half = decrypt(key, "AUTH_SESSKEY");
  copy_start_of(client_half, random.session_half);
  const wire::Bytes combined = wire::combine_halves(
      *challenge, wire::aes_cbc_decrypt(key, challenge->encrypted_key), client_half);
  copy_start_of(decrypt(combined, "AUTH_PASSWORD"), random.password_salt);
  copy_start_of(decrypt(combined, "AUTH_PBKDF2_SPEEDY_KEY"), random.speedy_salt);
  return random;
}

constexpr const char *kKnownUser = "system", *kKnownPassword = "oracle";

std::string user_of(const CapturedConnection& connection) {
  for (const Exchange& exchange : connection.exchanges) {
    for (const Json& message : exchange.asked) {
      if (message["message"] == "auth phase two") return message.value("user", std::string());
    }
  }
  return {};
}

bool is_known_account(const CapturedConnection& connection) {
  std::string user = user_of(connection);
  std::transform(user.begin(), user.end(), user.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return user == kKnownUser;
}

class CapturedReplay : public trace::SharedVectorTest {
 protected:
  struct Capture {
    std::string name;
    CapturedConnection connection;
  };
  /// Sessions of thin clients, with their beginning; those under encryption cannot be played.
  [[nodiscard]] std::vector<Capture> captures() const {
    std::vector<Capture> all;
    for (const auto& entry : std::filesystem::directory_iterator(vectors_)) {
      if (entry.path().extension() != ".txt") continue;
      const std::string name = entry.path().filename();
      CapturedConnections connections;
      std::istringstream in(text_of(name));
      trace::read_capture({}, in, [&](const trace::Block& block) { connections.add(block); });
      for (CapturedConnection& connection : connections.take()) {
        read_accept(connection);
        if (connection.accept.version == 0 || user_of(connection).empty()) continue;
        all.push_back({name, std::move(connection)});
      }
    }
    return all;
  }
};

std::vector<std::size_t> exchanges_of(const std::vector<Step>& steps) {
  std::vector<std::size_t> all;
  for (const Step& step : steps) {
    all.insert(all.end(), step.exchanges.begin(), step.exchanges.end());
  }
  return all;
}

/// Parsed statements that the captured client ran again keep their cursor here too.
std::uint32_t cache_size_for(const std::vector<Step>& steps) {
  constexpr std::uint32_t kSize = 20;
  return std::any_of(steps.begin(), steps.end(),
                     [](const Step& step) { return step.name.rfind("reexecute", 0) == 0; })
             ? kSize
             : 0;
}

/// Plays all steps of a connection. `log_in` gives the session over the stream.
template <class LogIn>
void play_steps(const CapturedConnection& connection, const Plan& plan,
                const std::vector<std::size_t>& set_up, const Cuts& cuts, LogIn&& log_in) {
  std::vector<std::size_t> exchanges = set_up;
  const std::vector<std::size_t> calls = exchanges_of(plan.steps);
  exchanges.insert(exchanges.end(), calls.begin(), calls.end());
  std::string problem;
  {
    replay::Pair pair([&](int fd) { problem = play_exchanges(fd, connection, exchanges, cuts); });
    auto login = log_in(pair.take_client());
    if (login) {
      Client client(*std::move(login), cache_size_for(plan.steps));
      for (const Step& step : plan.steps) {
        client.run(step);
        if (::testing::Test::HasFatalFailure()) break;
      }
    }
  }
  EXPECT_EQ(problem, "");
}

void play_without_log_in(const CapturedConnection& connection, const Plan& plan, const Cuts& cuts) {
  play_steps(connection, plan, {}, cuts, [&](std::unique_ptr<net::Stream> stream) {
    return std::optional<LoggedIn>(session_without_log_in(std::move(stream), connection));
  });
}

const Cuts kWhole = [](std::size_t) { return false; };

/// Whole, and cut behind every byte where that is not more pieces than a busy machine gets through
/// in time; MayBeCutAnywhere has every border of the others.
std::vector<Cuts> cuts_for(const CapturedConnection& connection) {
  constexpr std::size_t kMaxPieces = 8'000;
  std::size_t bytes = 0;
  for (const Exchange& exchange : connection.exchanges) bytes += exchange.server_bytes.size();
  if (bytes > kMaxPieces) return {kWhole};
  return {kWhole, [](std::size_t) { return true; }};
}

TEST_F(CapturedReplay, GivesTheClientWhatTheCapturedOneGot) {
  std::set<std::string> names;
  for (const Capture& capture : captures()) {
    SCOPED_TRACE(capture.name);
    const Plan plan = plan_of(capture.connection);
    ASSERT_FALSE(plan.steps.empty());
    names.insert(capture.name);
    // Nothing that the client could have asked is left out.
    for (const std::string& left_out : plan.left_out) EXPECT_EQ(left_out, "version");
    for (const Cuts& cuts : cuts_for(capture.connection)) {
      play_without_log_in(capture.connection, plan, cuts);
      if (HasFailure()) return;
    }
  }
  for (const char* name : {"go_ora.txt", "go_ora_binds.txt", "go_ora_dml.txt",
                           "go_ora_failed_stmt.txt", "go_ora_largeresult.txt", "go_ora_numbers.txt",
                           "python_thin.txt", "python_thin_failed_stmt.txt"}) {
    EXPECT_EQ(names.count(name), 1U) << name;
  }
}

TEST_F(CapturedReplay, TheClientNegotiatesWhatTheCapturedOneDid) {
  std::size_t known = 0;
  for (const Capture& capture : captures()) {
    SCOPED_TRACE(capture.name);
    const CapturedConnection& connection = capture.connection;
    if (!is_known_account(connection)) continue;
    const auto announced = announcement_of(connection);
    const auto random = random_of(connection, kKnownPassword);
    ASSERT_TRUE(announced.has_value() && random.has_value());
    ++known;
    const Plan plan = plan_of(connection);
    std::vector<std::size_t> set_up;
    for (const std::size_t i : plan.set_up) {
      const std::string name = connection.exchanges[i].name();
      if (!is_one_of(name, {"connect", "connect data", "native services"})) set_up.push_back(i);
    }
    for (const Cuts& cuts : cuts_for(connection)) {
      play_steps(connection, plan, set_up, cuts, [&](std::unique_ptr<net::Stream> stream) {
        OpContext context;
        ConnectOptions options;
        options.user = user_of(connection);
        options.password = Secret(std::string(kKnownPassword));
        Connection opened;
        opened.wait = net::Wait::of(context, kPatience);
        opened.accept = connection.accept;
        if (!connection.dialect.end_of_response)
          opened.accept.flags2 &= ~wire::kAcceptEndOfResponse;
        opened.channel = channel_over(std::move(stream), opened.accept);
        auto login = log_in(context, std::move(opened), options, local_identity(options), *random,
                            &*announced);
        EXPECT_TRUE(login.ok()) << login.error().to_paragraph();
        if (!login.ok()) return std::optional<LoggedIn>();
        const wire::Dialect& dialect = login->caller->dialect();
        EXPECT_EQ(dialect.field_version, connection.dialect.field_version);
        EXPECT_EQ(dialect.wide_scale, connection.dialect.wide_scale);
        EXPECT_EQ(dialect.chunks, connection.dialect.chunks);
        EXPECT_EQ(dialect.text_is_clr, connection.dialect.text_is_clr);
        EXPECT_EQ(dialect.long_strings, connection.dialect.long_strings);
        EXPECT_EQ(dialect.end_of_response, connection.dialect.end_of_response);
        return std::optional<LoggedIn>(*std::move(login));
      });
      if (HasFailure()) return;
    }
  }
  EXPECT_GE(known, 6U);
}

/// Every border of the server's bytes is one of some round.
TEST_F(CapturedReplay, MayBeCutAnywhere) {
  constexpr std::size_t kStride = 31;
  for (const Capture& capture : captures()) {
    SCOPED_TRACE(capture.name);
    const Plan plan = plan_of(capture.connection);
    for (std::size_t first = 0; first < kStride; ++first) {
      play_without_log_in(capture.connection, plan,
                          [first](std::size_t at) { return at % kStride == first; });
      ASSERT_FALSE(HasFailure()) << "cut at every " << first << " of " << kStride;
    }
  }
}

TEST_F(CapturedReplay, MayComeInPacketsOfAnySize) {
  for (const Capture& capture : captures()) {
    SCOPED_TRACE(capture.name);
    const Plan plan = plan_of(capture.connection);
    for (const std::size_t size : {1, 2, 3, 7, 31, 255}) {
      // A packet of nothing but the mark ends a response; in packets of one byte any 29 would.
      if (size == 1 && capture.connection.dialect.end_of_response) continue;
      Recording recording;
      for (const Exchange& exchange : capture.connection.exchanges) {
        recording.push_back({0, exchange.server_bytes});
      }
      recording = replay::recut(recording, size);
      CapturedConnection connection = capture.connection;
      for (std::size_t i = 0; i < recording.size(); ++i) {
        connection.exchanges[i].server_bytes = recording[i].server_bytes;
      }
      play_without_log_in(connection, plan, kWhole);
      ASSERT_FALSE(HasFailure()) << "packets of " << size;
    }
  }
}

}  // namespace
}  // namespace wherry::oracle
