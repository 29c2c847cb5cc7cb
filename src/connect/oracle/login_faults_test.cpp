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
  ServerKind old_net;
  old_net.tns_version = 313;
  const auto accept_only = [](const ServerKind& kind) {
    return [kind](Peer& peer) {
      peer.read_connect();
      peer.accept(kind);
    };
  };
  Error error = error_of_script({accept_only(old_net)});
  EXPECT_EQ(error.code, "oracle.server_too_old");
  EXPECT_NE(error.message.find("version 313"), std::string::npos);

  ServerKind old_fields;
  old_fields.field_version = 5;
  error = error_of_script({[&](Peer& peer) {
    try {
      peer.log_in(old_fields);
    } catch (const std::runtime_error&) {  // the client leaves after the protocol reply
    }
  }});
  EXPECT_EQ(error.code, "oracle.server_too_old");
  EXPECT_EQ(error.kind, ErrorKind::kUnsupported);
}

TEST(LoginFaults, LogsInToAServerOf112) {
  Server server([](Peer& peer) {
    peer.log_in(ServerKind::v11());
    peer.read_request();
    peer.send_response(
        joined({peer.describe({scripted::column("V", OracleType::kVarchar, 100)}),
                scripted::row_header(), scripted::row({"eleven"}), peer.end_of_rows(1, 1)}));
    peer.read_request();
    peer.send_response(peer.success(2, 7));
    peer.read_request();
    peer.send_response(peer.status(942, "ORA-00942: table or view does not exist\n", 0, 0, 14));
  });
  auto session = connect_to(server);
  ASSERT_TRUE(session.ok()) << session.error().to_paragraph();
  EXPECT_EQ((*session)->server().field_version, 6);
  OpContext context;
  const auto rows = (*session)->rows(context, "select v from t");
  ASSERT_TRUE(rows.ok()) << rows.error().to_paragraph();
  EXPECT_EQ(rows->at(0).at(0), "eleven");
  const auto done = (*session)->execute(context, "delete from t");
  ASSERT_TRUE(done.ok()) << done.error().to_paragraph();
  EXPECT_EQ(done->row_count, 7U);
  const auto failed = (*session)->execute(context, "delete from none");
  ASSERT_FALSE(failed.ok());
  EXPECT_EQ(failed.error().native_code, "ORA-00942");
  EXPECT_NO_THROW(server.finish());
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

TEST(LoginFaults, PacketsOfALogInMayBeCutAnywhere) {
  ServerKind eleven = ServerKind::v11();
  for (const ServerKind& kind : {ServerKind(), ServerKind::v23(), eleven}) {
    for (const std::size_t cut : {1, 2, 3, 10, 500}) {
      Server server([&](Peer& peer) { peer.log_in(kind); }, cut);
      auto session = connect_to(server);
      EXPECT_TRUE(session.ok()) << cut << ": " << session.error().to_paragraph();
      EXPECT_NO_THROW(server.finish());
    }
  }
}

TEST(LoginFaults, TakesEveryKindOfKey) {
  ServerKind kind;
  for (const wire::Verifier verifier :
       {wire::Verifier::k12c, wire::Verifier::k11g, wire::Verifier::k11gB}) {
    kind.verifier = verifier;
    Server server([&](Peer& peer) { peer.log_in(kind); });
    auto session = connect_to(server);
    EXPECT_TRUE(session.ok()) << session.error().to_paragraph();
    EXPECT_NO_THROW(server.finish());
  }
  for (const auto verifier : {wire::Verifier::k10g, static_cast<wire::Verifier>(4711)}) {
    kind.verifier = verifier;
    const Error error = error_of_script({[&](Peer& peer) {
      try {
        peer.log_in(kind);
      } catch (const std::runtime_error&) {  // the client leaves after the challenge
      }
    }});
    EXPECT_EQ(error.code, "oracle.verifier");
    EXPECT_NE(error.message.find(std::to_string(static_cast<unsigned>(verifier))),
              std::string::npos);
  }
}

TEST(LoginFaults, NotificationsAndKeepAlivesMayComeBetweenPackets) {
  const auto fill_in = [](Peer& peer) {
    peer.send_packet(PacketType::kNull, {});
    peer.send_packet(PacketType::kControl, Bytes{0, 9});  // no urgent data
    peer.send_notification(12573);                        // "message text follows"
  };
  Server server([&](Peer& peer) {
    peer.read_connect();
    fill_in(peer);
    peer.send_packet(PacketType::kResend, {});
    fill_in(peer);
    peer.log_in(ServerKind());
    peer.read_request();
    fill_in(peer);
    peer.send_part(Bytes{16, 0, 0});
    fill_in(peer);
    peer.send_marker(scripted::MarkerKind::kBreak);
    fill_in(peer);
    peer.send_marker(scripted::MarkerKind::kReset);
    peer.expect_reset();
    fill_in(peer);
    peer.send_response(peer.status(942, "ORA-00942: table or view does not exist\n"));
  });
  auto session = connect_to(server);
  ASSERT_TRUE(session.ok()) << session.error().to_paragraph();
  OpContext context;
  const auto rows = (*session)->rows(context, "select v from t");
  ASSERT_FALSE(rows.ok());
  EXPECT_EQ(rows.error().native_code, "ORA-00942");
  EXPECT_NO_THROW(server.finish());
}

TEST(LoginFaults, ARefusedPasswordIsToldInEveryForm) {
  for (const ServerKind& kind : {ServerKind(), ServerKind::v23(), ServerKind::v11()}) {
    for (const bool through_markers : {false, true}) {
      const Error error = error_of_script({[&](Peer& peer) {
        peer.log_in_halfway(kind);
        if (through_markers) {
          peer.send_marker(scripted::MarkerKind::kBreak);
          peer.send_marker(scripted::MarkerKind::kReset);
          peer.expect_reset();
        }
        peer.send_response(peer.status(1017, "ORA-01017: invalid username/password\n"));
      }});
      EXPECT_EQ(error.code, "oracle.wrong_password");
      EXPECT_EQ(error.kind, ErrorKind::kAuth);
    }
  }
}

TEST(LoginFaults, TheServersReasonsAreToldApart) {
  struct Reason {
    std::uint32_t number;
    const char* code;
    ErrorKind kind;
  };
  for (const Reason& reason : {Reason{28000, "oracle.account_locked", ErrorKind::kAuth},
                               {28001, "oracle.password_expired", ErrorKind::kAuth},
                               {28009, "oracle.sys_needs_role", ErrorKind::kAuth},
                               {1045, "oracle.no_create_session", ErrorKind::kPermission},
                               {1033, "oracle.not_open", ErrorKind::kTransient},
                               {2391, "oracle.too_many_sessions", ErrorKind::kResource}}) {
    const Error error = error_of_script({[&](Peer& peer) {
      peer.log_in_halfway(ServerKind());
      peer.send_response(peer.status(reason.number, "ORA-0: text\n"));
    }});
    EXPECT_EQ(error.code, reason.code);
    EXPECT_EQ(error.kind, reason.kind);
    EXPECT_FALSE(error.hint.empty());
  }
}

TEST(LoginFaults, LongConnectDataComesInAPacketOfItsOwn) {
  const std::string service = "s" + std::string(300, 'x');
  std::string text;
  Server server([&](Peer& peer) {
    text = peer.read_connect();
    peer.send_packet(PacketType::kResend, {});
    if (peer.read_connect() != text) throw std::runtime_error("not the same CONNECT again");
    peer.send_packet(PacketType::kResend, {});
    peer.log_in(ServerKind());
  });
  OpContext context;
  auto session = Session::connect(
      context, options_for("127.0.0.1:" + std::to_string(server.port()) + "/" + service));
  EXPECT_TRUE(session.ok()) << session.error().to_paragraph();
  EXPECT_NO_THROW(server.finish());
  EXPECT_NE(text.find("(SERVICE_NAME=" + service + ")"), std::string::npos);
}

TEST(LoginFaults, ARedirectWithoutConnectDataKeepsTheOriginal) {
  std::string first, second;
  Server target([&](Peer& peer) {
    second = peer.read_connect();
    peer.send_packet(PacketType::kResend, {});
    peer.log_in(ServerKind());
  });
  const std::string address =
      "(ADDRESS=(PROTOCOL=tcp)(HOST=127.0.0.1)(PORT=" + std::to_string(target.port()) + "))";
  Server server([&](Peer& peer) {
    first = peer.read_connect();
    Writer body;
    body.u16(static_cast<std::uint16_t>(address.size()));
    peer.send_packet(PacketType::kRedirect, body.bytes());
    peer.send_data_text(address);
  });
  auto session = connect_to(server);
  EXPECT_TRUE(session.ok()) << session.error().to_paragraph();
  EXPECT_NO_THROW(server.finish());
  EXPECT_NO_THROW(target.finish());
  EXPECT_EQ(first, second);
}

TEST(LoginFaults, RedirectsAndResendsEnd) {
  Error error = error_of_script({[](Peer& peer) {
    for (int i = 0; i < 11; ++i) {
      peer.read_connect();
      peer.send_packet(PacketType::kResend, {});
    }
  }});
  EXPECT_EQ(error.code, "oracle.protocol");
  std::uint16_t port = 0;
  const Server::Script again = [&](Peer& peer) {
    peer.read_connect();
    redirect(peer, port, true);
  };
  Server server({again, again, again, again});
  port = server.port();
  auto session = connect_to(server);
  ASSERT_FALSE(session.ok());
  EXPECT_EQ(session.error().code, "oracle.protocol");
  EXPECT_NO_THROW(server.finish());
}

TEST(LoginFaults, ASilentListenerIsGivenUp) {
  for (const char* parameter : {"?connect_timeout=200ms", "?transport_connect_timeout=200ms"}) {
    Server server([](Peer& peer) {
      peer.read_connect();
      try {
        peer.read_packet();  // until the client leaves
      } catch (const std::runtime_error&) {
        return;
      }
      throw std::runtime_error("the client went on without an answer");
    });
    OpContext context;
    auto session = Session::connect(context, options_for(server.connect_string() + parameter));
    ASSERT_FALSE(session.ok());
    EXPECT_EQ(session.error().code, "net.timeout") << session.error().to_paragraph();
    EXPECT_EQ(session.error().kind, ErrorKind::kTransient);
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
