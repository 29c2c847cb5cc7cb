// Connecting and logging in when listener or server behave in every allowed, or forbidden, way.
#include <gtest/gtest.h>

#include "connect/oracle/client.h"
#include "connect/oracle/scripted_server.h"

namespace wherry::oracle {
namespace {

using scripted::Bytes;
using scripted::joined;
using scripted::PacketType;
using scripted::Peer;
using scripted::Server;
using scripted::ServerKind;
using scripted::Writer;

ConnectOptions options_for(const std::string& connect_string) {
  ConnectOptions options;
  options.connect_string = connect_string;
  options.user = "scott";
  options.password = Secret(scripted::kPassword);
  return options;
}

Result<std::unique_ptr<Session>> connect_to(const Server& server) {
  OpContext context;
  return Session::connect(context, options_for(server.connect_string()));
}

Error error_of_script(std::vector<Server::Script> scripts) {
  Server server(std::move(scripts));
  auto session = connect_to(server);
  EXPECT_FALSE(session.ok());
  EXPECT_NO_THROW(server.finish());
  return session.ok() ? cancelled_error() : std::move(session).error();
}

constexpr const char* kUnknownService =
    "(DESCRIPTION=(TMP=)(VSNNUM=318767104)(ERR=12514)(ERROR_STACK=(ERROR=(CODE=12514)(EMFI=4))))";

Bytes refuse_body(std::string_view text, bool inline_text) {
  Writer body;
  body.u8(34);
  body.u8(0);
  body.u16(static_cast<std::uint16_t>(text.size()));
  if (inline_text) body.raw(text);
  return body.take();
}

TEST(LoginFaults, NamesAnUnknownServiceInBothFormsOfRefusal) {
  for (const bool inline_text : {true, false}) {
    const Error error = error_of_script({[&](Peer& peer) {
      peer.read_connect();
      peer.send_packet(PacketType::kRefuse, refuse_body(kUnknownService, inline_text));
      if (!inline_text) peer.send_data_text(kUnknownService);
    }});
    EXPECT_EQ(error.code, "oracle.unknown_service");
    EXPECT_EQ(error.kind, ErrorKind::kConfig);
    EXPECT_EQ(error.native_code, "ORA-12514");
  }
}

TEST(LoginFaults, SaysWhenNobodyListens) {
  std::string address;
  {
    Server server(std::vector<Server::Script>{});
    address = server.connect_string();
  }
  OpContext context;
  auto session = Session::connect(context, options_for(address));
  ASSERT_FALSE(session.ok());
  EXPECT_EQ(session.error().code, "oracle.no_listener");
  EXPECT_EQ(session.error().native_code, "ECONNREFUSED");
  EXPECT_NE(session.error().message.find("127.0.0.1:"), std::string::npos);
}

TEST(LoginFaults, GoesOnToTheNextAddress) {
  Server server([](Peer& peer) { peer.log_in(ServerKind()); });
  OpContext context;
  const std::string port = std::to_string(server.port());
  auto session = Session::connect(
      context, options_for("(DESCRIPTION=(ADDRESS_LIST=(ADDRESS=(PROTOCOL=tcp)(HOST=127.0.0.1)"
                           "(PORT=1))(ADDRESS=(PROTOCOL=tcp)(HOST=127.0.0.1)(PORT=" +
                           port + ")))(CONNECT_DATA=(SERVICE_NAME=test)))"));
  EXPECT_TRUE(session.ok()) << session.error().to_paragraph();
  EXPECT_NO_THROW(server.finish());
}

TEST(LoginFaults, SendsTheConnectAgainWhenAsked) {
  Server server([](Peer& peer) {
    const std::string first = peer.read_connect();
    peer.send_packet(PacketType::kResend, {});
    peer.send_raw({});
    if (first.find("SERVICE_NAME=test") == first.npos) throw std::runtime_error("no service");
    peer.log_in(ServerKind());
  });
  auto session = connect_to(server);
  EXPECT_TRUE(session.ok()) << session.error().to_paragraph();
  EXPECT_NO_THROW(server.finish());
}

void redirect(Peer& peer, std::uint16_t port, bool inline_text) {
  std::string text = "(ADDRESS=(PROTOCOL=tcp)(HOST=127.0.0.1)(PORT=" + std::to_string(port) + "))";
  text.push_back('\0');
  text += "(DESCRIPTION=(CONNECT_DATA=(SERVICE_NAME=redirected)))";
  Writer body;
  body.u16(static_cast<std::uint16_t>(text.size()));
  if (inline_text) body.raw(text);
  peer.send_packet(PacketType::kRedirect, body.bytes(), wire::kFlagRedirectHasData);
  if (!inline_text) peer.send_data_text(text);
}

TEST(LoginFaults, FollowsRedirectsInBothForms) {
  for (const bool inline_text : {true, false}) {
    std::uint16_t port = 0;
    std::string second_connect;
    std::uint8_t flags = 0;
    Server target([&](Peer& peer) {
      second_connect = peer.read_connect();
      flags = peer.last_connect_flags();
      peer.send_packet(PacketType::kResend, {});
      peer.log_in(ServerKind());
    });
    port = target.port();
    Server server([&](Peer& peer) {
      peer.read_connect();
      redirect(peer, port, inline_text);
    });
    auto session = connect_to(server);
    EXPECT_TRUE(session.ok()) << session.error().to_paragraph();
    EXPECT_NO_THROW(server.finish());
    EXPECT_NO_THROW(target.finish());
    EXPECT_EQ(second_connect, "(DESCRIPTION=(CONNECT_DATA=(SERVICE_NAME=redirected)))");
    EXPECT_EQ(flags, wire::kFlagAfterRedirect);
  }
}

TEST(LoginFaults, RefusesServersThatAreTooOld) {
  ServerKind eleven;
  eleven.tns_version = 314;
  const auto accept_only = [](const ServerKind& kind) {
    return [kind](Peer& peer) {
      peer.read_connect();
      peer.accept(kind);
    };
  };
  Error error = error_of_script({accept_only(eleven)});
  EXPECT_EQ(error.code, "oracle.server_too_old");
  EXPECT_NE(error.message.find("314"), std::string::npos);

  ServerKind old_fields;
  old_fields.field_version = 6;
  error = error_of_script({[&](Peer& peer) {
    try {
      peer.log_in(old_fields);
    } catch (const std::runtime_error&) {  // the client leaves after the protocol reply
    }
  }});
  EXPECT_EQ(error.code, "oracle.server_too_old");
  EXPECT_EQ(error.kind, ErrorKind::kUnsupported);
}

TEST(LoginFaults, RefusesAServerThatDoesNotKnowThePassword) {
  for (const ServerKind& kind : {ServerKind(), ServerKind::v23()}) {
    const Error error = error_of_script({[&](Peer& peer) { peer.log_in(kind, {}, true); }});
    EXPECT_EQ(error.code, "oracle.server_not_genuine");
    EXPECT_EQ(error.kind, ErrorKind::kAuth);
  }
}

TEST(LoginFaults, TakesWarningsAndStateMessagesBeforeTheStatus) {
  Writer extra;
  extra.u8(15);
  extra.ub2(28002);
  extra.ub2(20);
  extra.ub2(0);
  extra.clr("ORA-28002: the password will expire within 7 days\n");
  const Bytes pieces = joined({
      {23, 2, 1, 3, 3, 'a', 'b', 'c'},                               // process id
      {23, 4, 0, 0, 0, 0, 0, 0},                                     // session return
      {23, 5, 0, 0, 1, 1, 1, 1, 3, 3, 'U', 'T', 'C', 0, 1, 163, 0},  // state sync, one pair
      {23, 7, 1, 2, 2, 9, 9},                                        // transaction id
      {23, 10, 0, 0, 0, 0, 0},                                       // signature
  });
  for (const ServerKind& kind : {ServerKind(), ServerKind::v23()}) {
    Server server([&](Peer& peer) { peer.log_in(kind, joined({pieces, extra.bytes()})); });
    auto session = connect_to(server);
    ASSERT_TRUE(session.ok()) << session.error().to_paragraph();
    const ServerInfo& info = (*session)->server();
    ASSERT_EQ(info.warnings.size(), 1U);
    EXPECT_EQ(info.warnings[0], "ORA-28002: the password will expire within 7 days");
    EXPECT_EQ(info.session_id, 77U);
    EXPECT_EQ(info.serial_number, 5U);
    EXPECT_EQ(info.version, "19.3.0.0.0");
    EXPECT_EQ(info.field_version, kind.field_version);
    EXPECT_NO_THROW(server.finish());
  }
}

TEST(LoginFaults, AConnectionClosedDuringLogInIsTransient) {
  const Error error = error_of_script({[](Peer& peer) {
    peer.read_connect();
    peer.accept(ServerKind());
    peer.read_request();
    peer.close_socket();
  }});
  EXPECT_EQ(error.kind, ErrorKind::kTransient);
}

TEST(LoginFaults, AnAnswerThatIsNotOraclesIsTold) {
  const Error error = error_of_script({[](Peer& peer) {
    peer.read_connect();
    peer.send_raw(wire::bytes_of("HTTP/1.1 400 Bad Request\r\n\r\n"));
  }});
  EXPECT_EQ(error.code, "oracle.protocol");
}

}  // namespace
}  // namespace wherry::oracle
