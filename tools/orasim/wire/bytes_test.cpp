#include "wire/bytes.h"

#include <gtest/gtest.h>

#include <limits>

#include "wire/test_hex.h"

namespace orasim::wire {
namespace {

TEST(Writer, WritesVariableIntegersInTheFormsClientsKnow) {
  const std::pair<std::uint64_t, const char*> cases[] = {{0, "00"},
                                                         {1, "0101"},
                                                         {200, "01C8"},
                                                         {873, "020369"},
                                                         {70000, "0400011170"},
                                                         {0x7FFFFFFF, "047FFFFFFF"},
                                                         {1ULL << 32, "080000000100000000"}};
  for (const auto& [value, expected] : cases) {
    Writer out;
    out.ub(value);
    EXPECT_EQ(hex_of(out), expected);
  }
}

TEST(Writer, WritesNegativesAsSignAndMagnitude) {
  const std::pair<std::int64_t, const char*> cases[] = {
      {-1, "8101"}, {-127, "817F"}, {-300, "82012C"}, {5, "0105"}};
  for (const auto& [value, expected] : cases) {
    Writer out;
    out.sb(value);
    EXPECT_EQ(hex_of(out), expected);
  }
}

TEST(Reader, ReadsWhatTheWriterWrote) {
  for (const std::int64_t value :
       {std::int64_t{0}, std::int64_t{-1}, std::int64_t{255}, std::int64_t{-65536},
        std::numeric_limits<std::int64_t>::max(), std::numeric_limits<std::int64_t>::min()}) {
    Writer out;
    out.sb(value);
    Reader in(out.view());
    EXPECT_EQ(in.sb8(), value);
    EXPECT_EQ(in.buffered(), 0U);
  }
}

TEST(Reader, TakesThreeByteIntegers) {
  const Bytes bytes = hex("03 01 11 70");
  EXPECT_EQ(Reader(bytes).ub4(), 70000U);
}

TEST(Reader, RefusesIntegersWiderThanTheirFieldAndNegativeCounts) {
  const Bytes wide = hex("03 010203");
  EXPECT_THROW(Reader(wide).ub2(), BadMessage);
  const Bytes negative = hex("81 01");
  EXPECT_THROW(Reader(negative).ub4(), BadMessage);
}

TEST(Clr, CutsLongContentIntoChunksAndJoinsThemAgain) {
  for (const std::size_t size : {1, 252, 253, 300, 32767, 32768, 100000}) {
    std::string text(size, 'x');
    text.back() = 'y';
    Writer out;
    out.clr(text);
    Reader in(out.view());
    EXPECT_EQ(in.clr_text(), text);
    EXPECT_EQ(in.buffered(), 0U);
  }
  Writer out;
  out.clr(std::string(300, 'a'));
  EXPECT_EQ(hex_of(out).substr(0, 8), "FE02012C");
}

TEST(Clr, NullComesAsZeroOrAs255) {
  for (const char* text : {"00", "FF"}) {
    const Bytes bytes = hex(text);
    ByteView view;
    EXPECT_FALSE(Reader(bytes).clr(view));
    EXPECT_TRUE(view.empty());
  }
}

TEST(Clr, AnnouncedLengthsBeyondTheMessageEndInAnError) {
  for (const char* text : {"05 61", "FE 04 FFFFFFFF 61", "FE 02 0003 616263", "FE"}) {
    const Bytes bytes = hex(text);
    Reader in{ByteView(bytes)};
    EXPECT_THROW(in.clr_text(), ShortRead) << text;
  }
}

TEST(Reader, GathersAMessageThatArrivesByteByByte) {
  Writer message;
  message.clr(std::string(1000, 'q'));
  message.ub(4711);
  message.dlc("tail");
  for (const std::size_t step : {1, 2, 7, 512}) {
    DripSource source(Bytes(message.data(), message.data() + message.size()), step);
    Bytes buffer;
    Reader in(buffer, source);
    EXPECT_EQ(in.clr_text(), std::string(1000, 'q'));
    EXPECT_EQ(in.ub4(), 4711U);
    EXPECT_EQ(in.dlc_text(), "tail");
  }
}

TEST(Writer, DropsItsFrontAndGoesOn) {
  Writer out;
  out.raw(std::string_view("abcdef"));
  out.drop_front(4);
  out.u8('g');
  EXPECT_EQ(as_text(out.view()), "efg");
}

}  // namespace
}  // namespace orasim::wire
