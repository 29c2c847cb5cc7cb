#include "connect/oracle/tnsnames.h"

#include "connect/oracle/ora_file.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace wherry::oracle {
namespace {

class TnsNamesTest : public ::testing::Test {
 protected:
  TnsNamesTest() {
    std::string pattern = std::filesystem::temp_directory_path() / "wherry-tns-XXXXXX";
    directory_ = mkdtemp(pattern.data());
  }
  ~TnsNamesTest() override { std::filesystem::remove_all(directory_); }

  void write(const std::string& name, const std::string& text) const {
    std::filesystem::create_directories((directory_ / name).parent_path());
    std::ofstream(directory_ / name) << text;
  }
  [[nodiscard]] TnsNames read(const std::string& name = "tnsnames.ora") const {
    auto names = read_tnsnames((directory_ / name).string());
    EXPECT_TRUE(names.ok()) << names.error().to_paragraph();
    return names.ok() ? *names : TnsNames();
  }
  [[nodiscard]] std::string host_of(const std::string& text) const {
    const auto target = resolve_connect_string(text, directory_.string());
    if (!target.ok()) return target.error().code + " " + target.error().message;
    return target->descriptions[0].lists[0].addresses[0].host;
  }

  std::filesystem::path directory_;
};

TEST_F(TnsNamesTest, ReadsEntriesOfEveryForm) {
  write("tnsnames.ora", R"tns(# a comment
SALES, sales.example.org =
  (DESCRIPTION =              # one inside
    (ADDRESS = (PROTOCOL = TCP)(HOST = db1)(PORT = 1521))
    (CONNECT_DATA = (SERVICE_NAME = sales))
  )
easy = db2:1600/service  # behind a value
hr=(DESCRIPTION=(ADDRESS=(HOST=db3))(SECURITY=(SSL_SERVER_CERT_DN="CN=a#b,O=(x)"))
 (CONNECT_DATA=(SID=hr)))
pair = (DESCRIPTION=(ADDRESS=(HOST=db4))(CONNECT_DATA=(SID=x)))
       (DESCRIPTION=(ADDRESS=(HOST=db5))(CONNECT_DATA=(SID=x)))
Easy = db6/later
)tns");
  const TnsNames names = read();
  EXPECT_TRUE(names.problems.empty()) << names.problems.front();
  EXPECT_EQ(names.entries.size(), 5U);
  EXPECT_EQ(host_of("sales"), "db1");
  EXPECT_EQ(host_of(" SALES.example.ORG "), "db1");
  EXPECT_EQ(host_of("EASY"), "db6") << "a later entry replaces an earlier one";
  EXPECT_EQ(host_of("hr"), "db3");
  const auto hr = resolve_connect_string("hr", directory_.string());
  EXPECT_EQ(hr->descriptions[0].security.certificate_dn, "CN=a#b,O=(x)");
  const auto pair = resolve_connect_string("pair", directory_.string());
  ASSERT_TRUE(pair.ok()) << pair.error().to_paragraph();
  EXPECT_EQ(pair->descriptions.size(), 2U);
}

TEST_F(TnsNamesTest, AFullConnectStringIsNotLookedUp) {
  EXPECT_EQ(host_of("db9/sales"), "db9");
  EXPECT_EQ(host_of("(DESCRIPTION=(ADDRESS=(HOST=db8))(CONNECT_DATA=(SID=x)))"), "db8");
}

TEST_F(TnsNamesTest, GoesOnAfterWhatItCannotRead) {
  write("tnsnames.ora", R"(good = a/s
(nobody = 1)
open = (DESCRIPTION = (ADDRESS = (HOST = b)
empty =
after = (DESCRIPTION=(ADDRESS=(HOST=c))(CONNECT_DATA=(SID=x)))
)");
  EXPECT_EQ(host_of("good"), "a");
  EXPECT_EQ(host_of("after"), "c");
  const TnsNames names = read();
  ASSERT_EQ(names.problems.size(), 3U);
  EXPECT_NE(names.problems[0].find("tnsnames.ora line 2: "), std::string::npos);
  EXPECT_NE(names.problems[1].find("line 3: its parentheses"), std::string::npos);
  EXPECT_NE(names.problems[2].find("line 4: "), std::string::npos);
  // Who asks for a broken entry is told where it is.
  EXPECT_NE(host_of("open").find("line 3"), std::string::npos);
}

TEST_F(TnsNamesTest, FollowsIncludesAndStopsAtCycles) {
  write("tnsnames.ora", "IFILE = sub/more.ora\nown = a/s\nifile=\"none.ora\"\n");
  write("sub/more.ora", "other = b/s\nIFILE=deep.ora\n");
  write("sub/deep.ora", "deep = c/s\nIFILE = ../tnsnames.ora\n");
  EXPECT_EQ(host_of("own"), "a");
  EXPECT_EQ(host_of("other"), "b");
  EXPECT_EQ(host_of("deep"), "c");
  const TnsNames names = read();
  ASSERT_EQ(names.problems.size(), 2U);
  EXPECT_NE(names.problems[0].find("deep.ora line 2: "), std::string::npos);
  EXPECT_NE(names.problems[0].find("includes itself"), std::string::npos);
  EXPECT_NE(names.problems[1].find("tnsnames.ora line 3: "), std::string::npos);
}

TEST_F(TnsNamesTest, SaysWhyANameIsNotKnown) {
  EXPECT_NE(host_of("sales").find("oracle.tnsnames"), std::string::npos) << "no file";
  write("tnsnames.ora", "other = a/s\nbad = bare\n");
  EXPECT_NE(host_of("sales").find("oracle.unknown_alias"), std::string::npos);
  EXPECT_NE(host_of("bad").find("oracle.connect_string"), std::string::npos);
  const auto none = resolve_connect_string("sales", "");
  ASSERT_FALSE(none.ok());
  EXPECT_EQ(none.error().code, "oracle.unknown_alias");
  EXPECT_EQ(none.error().native_code, "ORA-12154");
}

TEST_F(TnsNamesTest, TheDirectoryComesFromSettingsThenTheEnvironment) {
  const auto set = [](const char* name, const char* value) {
    if (value == nullptr) {
      unsetenv(name);
    } else {
      setenv(name, value, 1);
    }
  };
  set("TNS_ADMIN", "/admin");
  set("ORACLE_HOME", "/home");
  EXPECT_EQ(ora_directory("/mine"), "/mine");
  EXPECT_EQ(ora_directory(""), "/admin");
  set("TNS_ADMIN", nullptr);
  EXPECT_EQ(ora_directory(""), "/home/network/admin");
  set("ORACLE_HOME", nullptr);
  EXPECT_EQ(ora_directory(""), "");
}

/// Two includes of the next file in each: the number of files read stays small.
TEST_F(TnsNamesTest, DoesNotReadIncludesWithoutEnd) {
  for (int i = 0; i < 18; ++i) {
    const std::string next = "IFILE = f" + std::to_string(i + 1) + "\n";
    write(i == 0 ? "tnsnames.ora" : "f" + std::to_string(i), next + next + "a = b/s\n");
  }
  EXPECT_FALSE(read().problems.empty());
  EXPECT_EQ(host_of("a"), "b");
}

TEST_F(TnsNamesTest, ReadsFilesOnly) {
  write("tnsnames.ora", "IFILE = /dev/zero\nIFILE = .\na = b/s\n");
  EXPECT_EQ(host_of("a"), "b");
  EXPECT_EQ(read().problems.size(), 2U);
}

}  // namespace
}  // namespace wherry::oracle
