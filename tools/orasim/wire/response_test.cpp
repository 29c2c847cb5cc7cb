#include "wire/response.h"

#include <gtest/gtest.h>

#include "wire/test_hex.h"

namespace orasim::wire {
namespace {

// Where the three lists begin: what is before them is as long for every status.
std::string lists_of(const CallStatus& status, std::size_t bytes) {
  constexpr std::size_t kBefore = 27;
  Writer out;
  encode_status(out, Dialect{}, status);
  return to_hex(out.view().subspan(kBefore, bytes));
}

CallStatus with_errors(std::uint32_t count) {
  CallStatus status;
  for (std::uint32_t i = 0; i < count; ++i) status.batch_errors.push_back({i, 1400, "ORA-1"});
  return status;
}

TEST(BatchErrors, AListIsAStringOfItsLength) {
  EXPECT_EQ(lists_of(with_errors(0), 3), "000000");
  EXPECT_EQ(lists_of(with_errors(2), 17),
            "0102"
            "06"
            "020578020578"
            "0102"
            "03"
            "000101"
            "0102");
}

TEST(BatchErrors, ALongListComesInChunksOfOneNumber) {
  EXPECT_EQ(lists_of(with_errors(300), 15),
            "02012C"
            "FE"
            "0103020578"
            "0103020578"
            "01");
}

TEST(CallStatus, SaysThatTheCallHasEndedAndWhetherATransactionIsOpen) {
  for (const bool open : {false, true}) {
    Writer out;
    encode_call_end(out, open);
    EXPECT_EQ(to_hex(out.view()), open ? "09010300" : "09010100");
  }
}

}  // namespace
}  // namespace orasim::wire
