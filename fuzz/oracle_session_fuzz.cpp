// What the client does with a server that says anything: the fuzzer's bytes are a server's side
// from the log-in on, or, so that the readers of responses are reached, from the first call on.
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>

#include "connect/oracle/channel.h"
#include "connect/oracle/login.h"
#include "connect/oracle/session.h"
#include "input.h"

namespace oracle = wherry::oracle;
namespace wire = wherry::oracle::wire;

namespace {

/// All of the server's side is there before the client begins; then the connection ends.
std::unique_ptr<oracle::Channel> channel_with(std::span<const std::uint8_t> bytes) {
  int ends[2];
  wherry::fuzz::require(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
  const auto sent = ::send(ends[1], bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  static_cast<void>(sent);
  ::shutdown(ends[1], SHUT_WR);
  // What the client says is thrown away with the other end.
  static int last_end = -1;
  if (last_end >= 0) ::close(last_end);
  last_end = ends[1];
  return std::make_unique<oracle::Channel>(std::make_unique<wherry::net::Stream>(ends[0]));
}

void use(oracle::Session& session, std::uint8_t kind) {
  wherry::OpContext context;
  const std::vector<oracle::Bind> binds = {oracle::Bind::text("a"),
                                           oracle::Bind::out(oracle::OracleType::kVarchar, 100),
                                           oracle::Bind::out(oracle::OracleType::kNumber)};
  switch (kind % 4) {
    case 0:
      (void)session.rows(context, "select * from t");
      break;
    case 1:
      (void)session.execute(context, "begin p(:1, :2, :3); end;", binds);
      break;
    case 2:
      (void)session.execute(context, "insert into t values (:1) returning a, b into :2, :3", binds);
      break;
    default:
      (void)session.execute_array(context, "insert into t values (:1)",
                                  std::vector<oracle::BindRow>(3, {oracle::Bind::text("a")}),
                                  {true, true, true});
  }
  (void)session.commit(context);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  wherry::fuzz::Input input(data, size);
  const std::uint8_t flags = input.byte();
  wherry::OpContext context;
  oracle::Connection connection;
  connection.accept.version = (flags & 1) != 0 ? 319 : 318;
  connection.accept.sdu_bytes = 8192;
  connection.accept.flags2 =
      (flags & 1) != 0 ? wire::kAcceptEndOfResponse | wire::kAcceptFastAuth : 0;
  connection.wait = wherry::net::Wait::of(context, std::chrono::seconds(5));
  const std::uint8_t kind = input.byte();
  const std::uint8_t version = 7 + input.byte() % 18;
  const auto rest = input.rest();
  connection.channel = channel_with(rest.first(std::min<std::size_t>(rest.size(), 60000)));
  connection.channel->accept(connection.accept);
  oracle::ConnectOptions options;
  options.user = "scott";
  options.password = wherry::Secret("tiger");
  if ((flags & 2) != 0) {
    const wire::ClientIdentity identity;
    (void)log_in(context, std::move(connection), options, identity, wire::LoginRandom{});
    return 0;
  }
  oracle::LoggedIn login;
  wire::Dialect dialect;
  dialect.tns_version = connection.accept.version;
  dialect.field_version = version;
  dialect.end_of_response = (flags & 1) != 0;
  login.caller =
      std::make_unique<oracle::Caller>(std::move(connection.channel), std::chrono::milliseconds(0));
  login.caller->set_logged_in(dialect);
  constexpr std::uint32_t kCachedStatements = 4;
  oracle::SessionImpl session(std::move(login), kCachedStatements);
  use(session, kind);
  return 0;
}
