// Ways to connect, against orasim: native encryption, names, proxies, log-in with more than a
// password.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

#include "connect/oracle/client.h"
#include "tests/support/certificate.h"
#include "tests/support/orasim.h"

namespace wherry::oracle {
namespace {

using test::Orasim;
using Words = std::vector<std::string>;

ConnectOptions usual_options(const Orasim& server, const std::string& parameters = "") {
  ConnectOptions options;
  options.connect_string = server.easy_connect() + parameters;
  options.user = std::string(Orasim::kUser);
  options.password = Secret(std::string(Orasim::kPassword));
  return options;
}

Result<std::unique_ptr<Session>> open(const ConnectOptions& options) {
  OpContext context;
  return Session::connect(context, options);
}

std::string single(Session& session, std::string_view sql) {
  OpContext context;
  const auto rows = session.rows(context, sql);
  if (!rows.ok()) return rows.error().native_code;
  return rows->empty() ? "no row" : rows->front()[0].value_or("NULL");
}

/// "AES256/SHA256", "off/off", or the ORA- number of the refusal.
std::string agreed(const Words& server_words, const std::string& parameters) {
  const Orasim server(server_words);
  auto session = open(usual_options(server, parameters));
  if (!session.ok()) return session.error().native_code;
  EXPECT_EQ(single(**session, "select 40 + 2 from dual"), "42");
  const ServerInfo& info = (*session)->server();
  const auto word = [](const std::string& name) { return name.empty() ? "off" : name; };
  return word(info.native_encryption) + "/" + word(info.native_integrity);
}

TEST(NativeEncryption, LevelsAreSettledAsInSqlnet) {
  const std::string required = "?encryption_client=required&crypto_checksum_client=required";
  const std::string rejected = "?encryption_client=rejected&crypto_checksum_client=rejected";
  EXPECT_EQ(agreed({}, ""), "off/off");
  EXPECT_EQ(agreed({}, "?encryption_client=requested"), "AES256/off");
  EXPECT_EQ(agreed({}, required), "AES256/SHA256");
  EXPECT_EQ(agreed({"--encryption", "required", "--checksum", "requested"}, ""), "AES256/SHA256");
  EXPECT_EQ(agreed({"--encryption", "required"}, rejected), "ORA-12660");
  EXPECT_EQ(agreed({"--encryption", "rejected"}, required), "ORA-12660");
  EXPECT_EQ(agreed({"--encryption", "rejected", "--checksum", "rejected"}, required), "ORA-12660");
  EXPECT_EQ(agreed({"--encryption-types", "AES128"}, required + "&encryption_types_client=AES256"),
            "ORA-12650");
  EXPECT_EQ(agreed({"--encryption-types", "AES128,AES192", "--checksum-types", "SHA1"}, required),
            "AES128/SHA1");
}

class Ciphers : public ::testing::TestWithParam<std::pair<const char*, const char*>> {};

TEST_P(Ciphers, CarryRowsErrorsAndBrokenCalls) {
  const Words words = {"--encryption",     "required",        "--encryption-types",
                       GetParam().first,   "--checksum",      "required",
                       "--checksum-types", GetParam().second, "--marker-errors"};
  const Orasim server(words);
  auto session = open(usual_options(server, "?sdu=2048"));
  ASSERT_TRUE(session.ok()) << session.error().to_paragraph();
  OpContext context;
  for (int round = 0; round < 3; ++round) {
    const auto rows = (*session)->rows(
        context, "select level, rpad('x', 500, 'y') from dual connect by level <= 2000");
    ASSERT_TRUE(rows.ok()) << rows.error().to_paragraph();
    EXPECT_EQ(rows->size(), 2000U);
    EXPECT_EQ(single(**session, "select * from no_such_table"), "ORA-00942");
  }
  // Given up in the middle: what still comes is thrown away, and the checksums stay in step.
  auto query = (*session)->query(
      context, "select level, rpad('x', 500, 'y') from dual connect by level <= 100000");
  ASSERT_TRUE(query.ok()) << query.error().to_paragraph();
  RowBatch batch;
  const CellKind kinds[] = {CellKind::kDecimal, CellKind::kText};
  ASSERT_TRUE((*query)->fetch(context, kinds, batch).ok());
  query->reset();
  EXPECT_EQ(single(**session, "select 'on' from dual"), "on");
}

INSTANTIATE_TEST_SUITE_P(All, Ciphers,
                         ::testing::Values(std::pair("AES256", "SHA256"),
                                           std::pair("AES192", "SHA384"),
                                           std::pair("AES128", "SHA512"),
                                           std::pair("AES256", "SHA1")));

TEST(LogIn, ReplacesAnExpiredPassword) {
  const Orasim server({"--user", "late/Old-1", "--user", "system/Manager-1"});
  ConnectOptions options = usual_options(server);
  options.user = "system";
  options.password = Secret("Manager-1");
  auto manager = open(options);
  ASSERT_TRUE(manager.ok()) << manager.error().to_paragraph();
  OpContext context;
  ASSERT_TRUE((*manager)->execute(context, "alter user late password expire").ok());

  options.user = "late";
  options.password = Secret("Old-1");
  auto refused = open(options);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, "oracle.password_expired");
  options.new_password = Secret("New-2");
  auto renewed = open(options);
  ASSERT_TRUE(renewed.ok()) << renewed.error().to_paragraph();
  EXPECT_EQ(single(**renewed, "select user from dual"), "LATE");
  options.new_password = Secret();
  EXPECT_FALSE(open(options).ok());
  options.password = Secret("New-2");
  EXPECT_TRUE(open(options).ok());
}

TEST(LogIn, ReplacesAPasswordOnlyWhenItHasExpired) {
  const Orasim server({"--user", "late/Old-1", "--user", "system/Manager-1"});
  ConnectOptions options = usual_options(server);
  options.user = "late";
  options.password = Secret("Old-1");
  options.new_password = Secret("New-2");
  options.new_password_on_expiry = true;
  EXPECT_TRUE(open(options).ok());
  ConnectOptions old = options;
  old.new_password = Secret();
  EXPECT_TRUE(open(old).ok()) << "it is still the password";

  ConnectOptions manager_options = usual_options(server);
  manager_options.user = "system";
  manager_options.password = Secret("Manager-1");
  auto manager = open(manager_options);
  ASSERT_TRUE(manager.ok()) << manager.error().to_paragraph();
  OpContext context;
  ASSERT_TRUE((*manager)->execute(context, "alter user late password expire").ok());
  for (int session = 0; session < 3; ++session) {
    auto renewed = open(options);
    EXPECT_TRUE(renewed.ok()) << renewed.error().to_paragraph();
  }
  EXPECT_EQ(open(old).error().code, "oracle.wrong_password");
}

TEST(LogIn, AProxyBecomesTheUserItStandsFor) {
  const Orasim server({"--user", "gate/Gate-1", "--proxy", "gate/hr"});
  ConnectOptions options = usual_options(server);
  options.user = "gate[hr]";
  options.password = Secret("Gate-1");
  auto session = open(options);
  ASSERT_TRUE(session.ok()) << session.error().to_paragraph();
  EXPECT_EQ(single(**session, "select user from dual"), "HR");
  options.user = "hr[gate]";
  options.password = Secret(std::string(Orasim::kPassword));
  auto refused = open(options);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, "oracle.proxy_not_allowed");
  EXPECT_EQ(refused.error().kind, ErrorKind::kPermission);
}

TEST(LogIn, AsksForAnEdition) {
  const Orasim server;
  ConnectOptions options = usual_options(server);
  options.edition = "ora$base";
  EXPECT_TRUE(open(options).ok());
  options.edition = "nowhere";
  auto refused = open(options);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, "oracle.unknown_edition");
}

TEST(LogIn, SetsLanguageTerritoryAndZoneWhateverThisMachineHas) {
  setenv("NLS_LANG", "GERMAN_GERMANY.WE8ISO8859P1", 1);
  setenv("ORA_SDTZ", "Europe/Berlin", 1);
  const Orasim server;
  auto session = open(usual_options(server));
  unsetenv("NLS_LANG");
  unsetenv("ORA_SDTZ");
  ASSERT_TRUE(session.ok()) << session.error().to_paragraph();
  EXPECT_EQ(single(**session, "select sessiontimezone from dual"), "+00:00");
  const std::string parameter = "select value from nls_session_parameters where parameter = 'NLS_";
  EXPECT_EQ(single(**session, parameter + "TERRITORY'"), "AMERICA");
  EXPECT_EQ(single(**session, parameter + "LANGUAGE'"), "AMERICAN");
  EXPECT_EQ(single(**session, parameter + "NUMERIC_CHARACTERS'"), ".,");
}

TEST(Names, OfTnsnamesLeadToTheServer) {
  const Orasim server;
  std::string pattern = std::filesystem::temp_directory_path() / "wherry-names-XXXXXX";
  const std::filesystem::path directory = mkdtemp(pattern.data());
  std::ofstream(directory / "tnsnames.ora")
      << "dead, sales = (DESCRIPTION = (CONNECT_TIMEOUT = 5)\n"
         "  (ADDRESS = (PROTOCOL = tcp)(HOST = 127.0.0.1)(PORT = 1))\n"
         "  (ADDRESS = (PROTOCOL = tcp)(HOST = 127.0.0.1)(PORT = "
      << server.port() << "))\n  (CONNECT_DATA = (SID = " << Orasim::kService << ")))\n";
  ConnectOptions options = usual_options(server);
  options.connect_string = "Sales";
  options.tns_admin = directory.string();
  auto session = open(options);
  EXPECT_TRUE(session.ok()) << session.error().to_paragraph();
  std::filesystem::remove_all(directory);
}

TEST(Packets, MayBeAsLargeAsBothSidesLike) {
  const Orasim server;
  for (const std::uint32_t sdu : {512U, 65536U, 2097152U}) {
    auto session = open(usual_options(server, "?sdu=" + std::to_string(sdu)));
    ASSERT_TRUE(session.ok()) << session.error().to_paragraph();
    EXPECT_EQ((*session)->server().sdu_bytes, sdu);
    OpContext context;
    const auto rows =
        (*session)->rows(context, "select rpad('x', 4000, 'y') from dual connect by level <= 2000");
    ASSERT_TRUE(rows.ok()) << rows.error().to_paragraph();
    EXPECT_EQ(rows->size(), 2000U);
  }
}

/// An HTTP proxy for one client: answers CONNECT with `status`, then carries bytes both ways.
class Tunnel {
 public:
  Tunnel(int to_port, std::string status) : to_port_(to_port), status_(std::move(status)) {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address = loopback(0);
    socklen_t size = sizeof address;
    ::bind(listener_, reinterpret_cast<sockaddr*>(&address), size);
    ::listen(listener_, 1);
    ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  ~Tunnel() {
    ::shutdown(listener_, SHUT_RDWR);
    thread_.join();
    ::close(listener_);
  }
  Tunnel(const Tunnel&) = delete;
  Tunnel& operator=(const Tunnel&) = delete;
  [[nodiscard]] std::string port() const { return std::to_string(port_); }
  [[nodiscard]] const std::string& request() const { return request_; }

 private:
  static sockaddr_in loopback(int port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    return address;
  }
  void serve() {
    const int client = ::accept(listener_, nullptr, nullptr);
    if (client < 0) return;
    char byte = 0;
    while (!request_.ends_with("\r\n\r\n") && ::recv(client, &byte, 1, 0) == 1) {
      request_.push_back(byte);
    }
    const std::string answer = "HTTP/1.0 " + status_ + "\r\nVia: test\r\n\r\n";
    ::send(client, answer.data(), answer.size(), MSG_NOSIGNAL);
    const int server = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const sockaddr_in address = loopback(to_port_);
    if (::connect(server, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) {
      pollfd both[2] = {{client, POLLIN, 0}, {server, POLLIN, 0}};
      while (::poll(both, 2, 20'000) > 0) {
        if (both[0].revents != 0 && !carry(client, server)) break;
        if (both[1].revents != 0 && !carry(server, client)) break;
      }
    }
    ::close(server);
    ::close(client);
  }
  static bool carry(int from, int to) {
    char buffer[16 * 1024];
    const ssize_t got = ::recv(from, buffer, sizeof buffer, 0);
    return got > 0 && ::send(to, buffer, static_cast<std::size_t>(got), MSG_NOSIGNAL) == got;
  }

  int to_port_;
  std::string status_;
  int listener_ = -1;
  int port_ = 0;
  std::string request_;
  std::thread thread_;
};

class HttpsProxy : public ::testing::Test {
 protected:
  [[nodiscard]] ConnectOptions options(const Tunnel& tunnel) const {
    ConnectOptions options = usual_options(server_);
    options.connect_string =
        "tcps://db.test:2484/TEST?https_proxy=127.0.0.1&https_proxy_port=" + tunnel.port();
    options.wallet_location = identity_.file("trust.pem");
    return options;
  }
  test::Certificate identity_;
  Orasim server_{{"--tls-cert", identity_.file("trust.pem"), "--tls-key", identity_.file("key.pem"),
                  "--resend"}};
};

TEST_F(HttpsProxy, LeadsToTheServer) {
  Tunnel tunnel(server_.port(), "200 Connection established");
  auto session = open(options(tunnel));
  ASSERT_TRUE(session.ok()) << session.error().to_paragraph();
  EXPECT_TRUE((*session)->server().is_encrypted);
  EXPECT_EQ(single(**session, "select 1 from dual"), "1");
  EXPECT_EQ(tunnel.request(), "CONNECT db.test:2484 HTTP/1.0\r\n\r\n");
}

TEST_F(HttpsProxy, ItsRefusalIsTold) {
  Tunnel tunnel(1, "403 Forbidden");
  auto session = open(options(tunnel));
  ASSERT_FALSE(session.ok());
  EXPECT_EQ(session.error().code, "oracle.https_proxy");
  EXPECT_EQ(session.error().native_text, "HTTP/1.0 403 Forbidden");
}

}  // namespace
}  // namespace wherry::oracle
