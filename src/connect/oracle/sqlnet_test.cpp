#include "connect/oracle/sqlnet.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "connect/oracle/tnsnames.h"

namespace wherry::oracle {
namespace {

using std::chrono::milliseconds;
using wire::Checksum;
using wire::Cipher;
using wire::SecurityLevel;

class Sqlnet : public ::testing::Test {
 protected:
  Sqlnet() {
    std::string pattern = std::filesystem::temp_directory_path() / "wherry-sqlnet-XXXXXX";
    directory_ = mkdtemp(pattern.data());
    unsetenv("ORACLE_HOME");
  }
  ~Sqlnet() override { std::filesystem::remove_all(directory_); }

  void write(const std::string& name, const std::string& text) const {
    std::ofstream(directory_ / name) << text;
  }
  [[nodiscard]] SqlnetOra read(const std::string& text) const {
    write("sqlnet.ora", text);
    auto settings = read_sqlnet(directory_.string());
    EXPECT_TRUE(settings.ok()) << settings.error().to_paragraph();
    return settings.ok() ? *settings : SqlnetOra();
  }
  [[nodiscard]] Description description(const std::string& connect_string,
                                        const SqlnetOra& settings) const {
    const auto target = resolve_connect_string(connect_string, directory_.string(), settings);
    EXPECT_TRUE(target.ok()) << target.error().to_paragraph();
    return target.ok() ? target->descriptions[0] : Description();
  }

  std::filesystem::path directory_;
};

constexpr const char* kFull = R"(# what a site has
NAMES.DIRECTORY_PATH = (TNSNAMES, EZCONNECT)
names.default_domain = example.org
SQLNET.ENCRYPTION_CLIENT = REQUIRED
SQLNET.ENCRYPTION_TYPES_CLIENT = (AES256,
  RC4_256, AES128, 3DES168)
SQLNET.CRYPTO_CHECKSUM_CLIENT = requested
SQLNET.CRYPTO_CHECKSUM_TYPES_CLIENT = (SHA512)
TCP.CONNECT_TIMEOUT=5
SQLNET.OUTBOUND_CONNECT_TIMEOUT = 2 min
SQLNET.RECV_TIMEOUT = 90
DEFAULT_SDU_SIZE = 32768
RECV_BUF_SIZE = 262144
SEND_BUF_SIZE= 131072
SSL_SERVER_DN_MATCH = no
SSL_VERSION = 1.2
WALLET_LOCATION =
  (SOURCE =
    (METHOD = FILE)
    (METHOD_DATA = (DIRECTORY = /etc/wallet)))
SQLNET.WALLET_OVERRIDE = TRUE
TRACE_LEVEL_CLIENT = 16
SQLNET.AUTHENTICATION_SERVICES = (NTS)
)";

TEST_F(Sqlnet, HoldsWhereAConnectStringSaysNothing) {
  const SqlnetOra settings = read(kFull);
  EXPECT_EQ(settings.receive_timeout, milliseconds(90'000));
  for (const char* text :
       {"db:1521/s", "(DESCRIPTION=(ADDRESS=(HOST=db))(CONNECT_DATA=(SID=s)))"}) {
    const Description found = description(text, settings);
    EXPECT_EQ(found.transport_connect_timeout, milliseconds(5000));
    EXPECT_EQ(found.connect_timeout, milliseconds(120'000));
    EXPECT_EQ(found.sdu_bytes, 32768U);
    EXPECT_EQ(found.receive_buffer_bytes, 262144U);
    EXPECT_EQ(found.send_buffer_bytes, 131072U);
    EXPECT_FALSE(found.security.dn_match);
    EXPECT_EQ(found.security.ssl_version, "1.2");
    EXPECT_EQ(found.security.wallet_location, "/etc/wallet");
    EXPECT_EQ(found.security.encryption, SecurityLevel::kRequired);
    EXPECT_EQ(found.security.integrity, SecurityLevel::kRequested);
    EXPECT_EQ(found.security.ciphers, (std::vector<Cipher>{Cipher::kAes256, Cipher::kAes128}));
    EXPECT_EQ(found.security.checksums, (std::vector<Checksum>{Checksum::kSha512}));
  }
}

TEST_F(Sqlnet, GivesWayToTheConnectString) {
  const SqlnetOra settings = read(kFull);
  const Description easy = description(
      "db/s?transport_connect_timeout=1&sdu=8192&encryption_client=accepted&ssl_server_dn_match=on"
      "&recv_buf_size=4096",
      settings);
  EXPECT_EQ(easy.transport_connect_timeout, milliseconds(1000));
  EXPECT_EQ(easy.sdu_bytes, 8192U);
  EXPECT_EQ(easy.security.encryption, SecurityLevel::kAccepted);
  EXPECT_TRUE(easy.security.dn_match);
  EXPECT_EQ(easy.security.integrity, SecurityLevel::kRequested) << "said in the file only";
  EXPECT_EQ(easy.receive_buffer_bytes, 4096U);
  const Description second = description(
      "(DESCRIPTION=(ADDRESS=(HOST=a))(SEND_BUF_SIZE=1024)(CONNECT_TIMEOUT=3)"
      "(SECURITY=(MY_WALLET_DIRECTORY=/mine)))",
      settings);
  EXPECT_EQ(second.send_buffer_bytes, 1024U);
  EXPECT_EQ(second.connect_timeout, milliseconds(3000));
  EXPECT_EQ(second.security.wallet_location, "/mine");
  EXPECT_EQ(second.security.encryption, SecurityLevel::kRequired);
}

TEST_F(Sqlnet, QualifiesNamesWithTheDefaultDomain) {
  write("tnsnames.ora", "sales = a/s\nsales.example.org = b/s\nplain = c/s\n");
  const SqlnetOra settings = read("NAMES.DEFAULT_DOMAIN = example.org\n");
  const auto host = [&](const char* name) {
    return description(name, settings).lists[0].addresses[0].host;
  };
  EXPECT_EQ(host("sales"), "b");
  EXPECT_EQ(host("SALES.EXAMPLE.ORG"), "b");
  EXPECT_EQ(host("plain"), "c");
}

TEST_F(Sqlnet, LooksNamesUpAsTheDirectoryPathSays) {
  write("tnsnames.ora", "sales = a/s\n");
  const SqlnetOra settings = read("NAMES.DIRECTORY_PATH = (LDAP)\n");
  const auto refused = resolve_connect_string("sales", directory_.string(), settings);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().native_code, "ORA-12154");
  EXPECT_NE(refused.error().message.find("DIRECTORY_PATH"), std::string::npos);
  EXPECT_EQ(description("db/s", settings).lists[0].addresses[0].host, "db");
}

TEST_F(Sqlnet, FindsWalletsOfEveryForm) {
  const auto wallet = [this](const std::string& value) {
    return description("db/s", read("WALLET_LOCATION = " + value + "\n")).security.wallet_location;
  };
  EXPECT_EQ(wallet("/w"), "/w");
  EXPECT_EQ(wallet("\"/with blanks\""), "/with blanks");
  EXPECT_EQ(wallet("(SOURCE=(METHOD=SYSTEM))"), "SYSTEM");
  const std::string home =
      "(SOURCE = (METHOD = file) (METHOD_DATA = (DIRECTORY=\"?/network/admin\")))";
  EXPECT_EQ(wallet(home), directory_.string());
  setenv("ORACLE_HOME", "/home", 1);
  EXPECT_EQ(wallet(home), "/home/network/admin");
  unsetenv("ORACLE_HOME");
}

TEST_F(Sqlnet, NamesTheLineOfWhatCannotBeUsed) {
  const std::pair<const char*, const char*> wrong[] = {
      {"SQLNET.ENCRYPTION_CLIENT = perhaps", "rejected, accepted"},
      {"SQLNET.ENCRYPTION_TYPES_CLIENT = (RC4_40)", "AES256"},
      {"DEFAULT_SDU_SIZE = big", "not a number"},
      {"TCP.CONNECT_TIMEOUT = soon", "not a duration"},
      {"SQLNET.RECV_TIMEOUT = soon", "not a duration"},
      {"WALLET_LOCATION = (SOURCE=(METHOD=REG))", "directory"}};
  for (const auto& [line, reason] : wrong) {
    write("sqlnet.ora", "# first\n" + std::string(line) + "\n");
    const auto settings = read_sqlnet(directory_.string());
    ASSERT_FALSE(settings.ok()) << line;
    EXPECT_EQ(settings.error().code, "oracle.sqlnet") << line;
    EXPECT_NE(settings.error().message.find("line 2"), std::string::npos) << line;
    EXPECT_NE(settings.error().message.find(reason), std::string::npos) << settings.error().message;
  }
}

TEST_F(Sqlnet, IsNotNeeded) {
  EXPECT_TRUE(read_sqlnet("").ok());
  EXPECT_TRUE(read_sqlnet(directory_.string()).ok());
  EXPECT_TRUE(read_sqlnet("/nowhere/at/all").ok());
}

}  // namespace
}  // namespace wherry::oracle
