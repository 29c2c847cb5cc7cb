// Positions are read back as they were written, and nothing else is one.
#include "connect/oracle/logminer/redo_position.h"

#include <gtest/gtest.h>

namespace wherry::oracle {
namespace {

RedoPosition sample() {
  RedoPosition out;
  out.database_id = 2'912'345'678;
  out.resetlogs_scn = 1;
  out.commit_scn = 9'223'372'036'854'775'806U;  // beyond what a double or 2^48 holds
  out.load_scn = 1'234'567;
  out.floor_scn = 1'234'000;
  out.threads[1] = {{90, 12, 16}, {91, 4'294'967'295U, 500}};
  out.threads[2] = {{7, 0, 0}, {}};
  out.open = {{{3, 5, 1, 614}, 1'234'001}, {{4, 5, 1, 614}, 0}};
  return out;
}

TEST(RedoPositions, AreReadAsTheyWereWritten) {
  const RedoPosition whole = sample();
  const Position text = to_position(whole);
  EXPECT_EQ(text.text,
            "redo:v1:2912345678:1:9223372036854775806:1234567:1234000:"
            "1=90.12.16/91.4294967295.500,2=7.0.0/0.0.0:3.5.1.614@1234001,4.5.1.614@0");
  auto read = read_position(text);
  ASSERT_TRUE(read.ok()) << read.error().to_paragraph();
  EXPECT_EQ(*read, whole);
  const RedoPosition none;
  read = read_position(to_position(none));
  ASSERT_TRUE(read.ok()) << read.error().to_paragraph();
  EXPECT_EQ(*read, none);
}

TEST(RedoPositions, CutAnywhereAreNone) {
  const std::string text = to_position(sample()).text;
  const std::size_t last_scn = text.rfind('@') + 1;
  for (std::size_t size = 0; size < last_scn; ++size) {
    // Without its last transaction, or without all, it is one.
    const std::string_view cut = std::string_view(text).substr(0, size);
    const bool is_whole = cut.ends_with("0.0.0:") || cut.ends_with("@1234001") ||
                          (cut.size() > text.rfind(":3.5") && cut.find('@') != cut.npos &&
                           cut.find(',', cut.rfind('@')) == cut.npos);
    if (is_whole) continue;
    EXPECT_FALSE(read_position({std::string(cut)}).ok()) << cut;
  }
  for (const char* bad :
       {"", "scn:5", "redo:v2:1:1:1:1:1::", "redo:v1:1:1:1:1:1::x",
        "redo:v1:1:1:1:1:1:1=1.1.1:", "redo:v1:1:1:1:1:-1::", "redo:v1:1:1:1:1:1::3.5.1.614@5 ",
        "redo:v1:99999999999999999999:1:1:1:1::"}) {
    EXPECT_FALSE(read_position({bad}).ok()) << bad;
  }
}

}  // namespace
}  // namespace wherry::oracle
