// Native network encryption and integrity over a real socket: levels, broken calls, damage.
#include <gtest/gtest.h>

#include <string>

#include "connect/oracle/client.h"
#include "connect/oracle/scripted_server.h"

namespace wherry::oracle {
namespace {

using scripted::Bytes;
using scripted::joined;
using scripted::MarkerKind;
using scripted::Peer;
using scripted::Server;
using scripted::ServerKind;
using wire::Checksum;
using wire::Cipher;

Result<std::unique_ptr<Session>> connect_with(const Server& server, const std::string& parameters) {
  ConnectOptions options;
  options.connect_string = server.connect_string() + parameters;
  options.user = "scott";
  options.password = Secret(scripted::kPassword);
  OpContext context;
  return Session::connect(context, options);
}

Error error_of(const ServerKind& kind, const std::string& parameters) {
  Server server([&](Peer& peer) {
    try {
      peer.log_in(kind);
    } catch (const std::runtime_error&) {  // the client leaves when it has seen enough
    }
  });
  auto session = connect_with(server, parameters);
  EXPECT_FALSE(session.ok()) << parameters;
  return session.ok() ? cancelled_error() : std::move(session).error();
}

/// A row of one text column, whole response.
Bytes one_row(const Peer& peer, const std::string& value) {
  return joined({peer.describe({scripted::column("V", OracleType::kVarchar, 100)}),
                 scripted::row_header(), scripted::row({value}), peer.end_of_rows(1, 1)});
}

/// Log-in, a query, an error through markers, another query.
void serve_calls(Peer& peer, const ServerKind& kind) {
  peer.log_in(kind);
  peer.read_request();
  peer.send_response(one_row(peer, "first"));
  peer.read_request();
  peer.send_part(Bytes{16, 0, 0});  // half an answer, then the call breaks
  peer.send_marker(MarkerKind::kBreak);
  peer.send_marker(MarkerKind::kReset);
  peer.expect_reset();
  peer.send_response(peer.status(942, "ORA-00942: table or view does not exist\n"));
  peer.read_request();
  peer.send_response(one_row(peer, "second"));
}

std::string text_of_query(Session& session) {
  OpContext context;
  auto rows = session.rows(context, "select v from t");
  if (!rows.ok()) return rows.error().native_code;
  return rows->at(0).at(0).value_or("null");
}

TEST(NetworkSecurity, CallsAndBrokenCallsGoThroughWithEveryAlgorithm) {
  for (const Cipher cipher : {Cipher::kNone, Cipher::kAes128, Cipher::kAes192, Cipher::kAes256}) {
    for (const Checksum checksum : {Checksum::kNone, Checksum::kSha1, Checksum::kSha256,
                                    Checksum::kSha384, Checksum::kSha512}) {
      if (cipher == Cipher::kNone && checksum == Checksum::kNone) continue;
      const ServerKind kind = ServerKind::encrypted(cipher, checksum);
      Server server([&](Peer& peer) { serve_calls(peer, kind); });
      auto session = connect_with(server, "");
      ASSERT_TRUE(session.ok()) << session.error().to_paragraph();
      EXPECT_EQ((*session)->server().native_encryption, wire::name_of(cipher));
      EXPECT_EQ((*session)->server().native_integrity, wire::name_of(checksum));
      EXPECT_EQ((*session)->server().is_encrypted, cipher != Cipher::kNone);
      EXPECT_EQ(text_of_query(**session), "first");
      EXPECT_EQ(text_of_query(**session), "ORA-00942");
      EXPECT_EQ(text_of_query(**session), "second");
      EXPECT_NO_THROW(server.finish());
    }
  }
}

TEST(NetworkSecurity, PacketsMayBeCutAnywhere) {
  ServerKind kind = ServerKind::encrypted(Cipher::kAes256, Checksum::kSha256);
  kind.tns_version = 319;
  kind.field_version = 24;
  kind.accept_flags2 = wire::kAcceptEndOfResponse | wire::kAcceptFastAuth;
  kind.fast_auth = true;
  for (const std::size_t cut : {1, 2, 7, 100}) {
    Server server([&](Peer& peer) { serve_calls(peer, kind); }, cut);
    auto session = connect_with(server, "?sdu=512");
    ASSERT_TRUE(session.ok()) << session.error().to_paragraph();
    EXPECT_EQ(text_of_query(**session), "first");
    EXPECT_EQ(text_of_query(**session), "ORA-00942");
    EXPECT_EQ(text_of_query(**session), "second");
    EXPECT_NO_THROW(server.finish());
  }
}

TEST(NetworkSecurity, ADamagedPacketEndsTheSession) {
  const ServerKind kind = ServerKind::encrypted(Cipher::kAes256, Checksum::kSha256);
  Server server([&](Peer& peer) {
    peer.log_in(kind);
    peer.read_request();
    peer.send_data_text(std::string(82, 'x'));  // unprotected
  });
  auto session = connect_with(server, "");
  ASSERT_TRUE(session.ok()) << session.error().to_paragraph();
  OpContext context;
  const auto rows = (*session)->rows(context, "select v from t");
  ASSERT_FALSE(rows.ok());
  EXPECT_EQ(rows.error().code, "oracle.integrity");
  EXPECT_TRUE((*session)->is_broken());
  EXPECT_NO_THROW(server.finish());
}

TEST(NetworkSecurity, WhatIsRequiredIsNotGivenUp) {
  ServerKind off;
  off.native_flags = ServerKind::kNegotiates;
  ServerKind only_checksum = ServerKind::encrypted(Cipher::kNone, Checksum::kSha256);
  for (const ServerKind& kind : {ServerKind(), off, only_checksum}) {
    const Error error = error_of(kind, "?encryption_client=required");
    EXPECT_EQ(error.code, "oracle.native_encryption");
    EXPECT_EQ(error.native_code, "ORA-12660");
    EXPECT_EQ(error.kind, ErrorKind::kConfig);
  }
  const Error error = error_of(off, "?crypto_checksum_client=required");
  EXPECT_EQ(error.native_code, "ORA-12660");
}

TEST(NetworkSecurity, AServerThatRequiresWhatIsRejectedIsNamed) {
  ServerKind demanding;
  demanding.native_flags = 0x10 | 0x01;
  const std::string rejected = "?encryption_client=rejected&crypto_checksum_client=rejected";
  EXPECT_EQ(error_of(demanding, rejected).native_code, "ORA-12660");
  ServerKind reporting;
  reporting.native_flags = ServerKind::kNegotiates;
  for (const std::uint32_t code : {12650U, 12660U}) {
    reporting.native_error = code;
    const Error error = error_of(reporting, "");
    EXPECT_EQ(error.code, "oracle.native_encryption");
    EXPECT_EQ(error.native_code, "ORA-" + std::to_string(code));
    EXPECT_FALSE(error.hint.empty());
  }
}

TEST(NetworkSecurity, OnlyWhatWasOfferedIsTaken) {
  const ServerKind kind = ServerKind::encrypted(Cipher::kAes128, Checksum::kNone);
  const Error error =
      error_of(kind, "?encryption_client=requested&encryption_types_client=aes256,aes192");
  EXPECT_EQ(error.code, "oracle.protocol");
}

}  // namespace
}  // namespace wherry::oracle
