#include "connect/oracle/wire/reader.h"

#include <gtest/gtest.h>

#include "connect/oracle/wire/clr_stream.h"
#include "connect/oracle/wire/writer.h"

namespace wherry::oracle::wire {
namespace {

Bytes bytes(std::initializer_list<int> values) {
  Bytes result;
  for (const int value : values) result.push_back(static_cast<std::uint8_t>(value));
  return result;
}

TEST(Reader, ReadsVariableIntegersOfAnyWidth) {
  const Bytes image =
      bytes({0x00, 0x01, 0x01, 0x01, 0xC8, 0x02, 0x03, 0x69, 0x03, 0x01, 0x11, 0x70, 0x04,
             0x00, 0x01, 0x11, 0x70, 0x04, 0x7F, 0xFF, 0xFF, 0xFF, 0x81, 0x01, 0x81, 0x7F});
  Reader in(image);
  EXPECT_EQ(in.ub4(), 0U);
  EXPECT_EQ(in.ub4(), 1U);
  EXPECT_EQ(in.ub4(), 200U);
  EXPECT_EQ(in.ub4(), 873U);
  EXPECT_EQ(in.ub4(), 70000U);
  EXPECT_EQ(in.ub4(), 70000U);
  EXPECT_EQ(in.ub4(), 0x7FFFFFFFU);
  EXPECT_EQ(in.sb4(), -1);
  EXPECT_EQ(in.sb2(), -127);
  EXPECT_TRUE(in.ok());
  EXPECT_EQ(in.remaining(), 0U);
}

TEST(Reader, TellsMissingBytesFromWrongOnes) {
  const Bytes too_wide = bytes({0x05, 1, 2, 3, 4, 5});
  Reader wide(too_wide);
  wide.ub4();
  EXPECT_EQ(wide.state(), ParseState::kMalformed);
  EXPECT_FALSE(wide.problem().empty());

  const Bytes negative = bytes({0x81, 0x01});
  Reader sign(negative);
  sign.ub4();
  EXPECT_EQ(sign.state(), ParseState::kMalformed);

  const Bytes cut = bytes({0x04, 0x00, 0x01});
  Reader missing(cut);
  missing.ub4();
  EXPECT_EQ(missing.state(), ParseState::kNeedMore);
  EXPECT_EQ(missing.u8(), 0) << "a failed reader gives zeros";
  EXPECT_EQ(missing.state(), ParseState::kNeedMore);
}

TEST(Reader, ReadsStringsWholeChunkedAndNull) {
  const Bytes image =
      bytes({3, 'a', 'b', 'c', 0, 0xFF, 0xFE, 1, 2, 'd', 'e', 1, 1, 'f', 0, 1, 2, 2, 'g', 'h', 0});
  Reader in(image);
  EXPECT_EQ(in.clr(), "abc");
  EXPECT_EQ(in.clr(), std::nullopt);
  EXPECT_EQ(in.clr(), std::nullopt);
  EXPECT_EQ(in.clr(), "def");
  EXPECT_EQ(in.dlc(), "gh");
  EXPECT_EQ(in.dlc(), std::nullopt);
  EXPECT_TRUE(in.ok());
}

TEST(Reader, ReadsOneByteChunkLengthsOfOldServers) {
  const Bytes image = bytes({0xFE, 2, 'd', 'e', 1, 'f', 0});
  Reader in(image, ChunkLength::kUb1);
  EXPECT_EQ(in.clr(), "def");
  EXPECT_TRUE(in.ok());
}

TEST(Writer, WritesWhatReadersRead) {
  for (const std::uint64_t value : {0ULL, 1ULL, 255ULL, 256ULL, 65535ULL, 65536ULL, 70000ULL,
                                    0xFFFFFFFFULL, 0x100000000ULL, 0x7FFFFFFFFFFFFFFFULL}) {
    Writer out;
    out.ub8(value);
    Reader in(out.bytes());
    EXPECT_EQ(in.ub8(), value);
    EXPECT_EQ(in.remaining(), 0U);
  }
  for (const std::size_t size : {0U, 1U, 252U, 253U, 300U, 32767U, 32768U, 100'000U}) {
    for (const ChunkLength chunks : {ChunkLength::kUb4, ChunkLength::kUb1}) {
      const std::string text(size, 'x');
      Writer out(chunks);
      out.clr(text);
      Reader in(out.bytes(), chunks);
      EXPECT_EQ(in.clr_text(), text);
      EXPECT_TRUE(in.ok());
      EXPECT_EQ(in.remaining(), 0U);
    }
  }
}

TEST(Writer, UsesTheIntegerWidthsOfOraclesClients) {
  Writer out;
  out.ub4(70000);
  out.ub4(873);
  out.sb4(-1);
  EXPECT_EQ(out.bytes(), bytes({4, 0, 1, 0x11, 0x70, 2, 3, 0x69, 0x81, 1}));
}

TEST(Writer, ChunksLongStrings) {
  Writer out;
  out.clr(std::string(300, 'a'));
  EXPECT_EQ(Bytes(out.bytes().begin(), out.bytes().begin() + 5), bytes({0xFE, 2, 1, 0x2C, 'a'}));
  EXPECT_EQ(out.bytes().back(), 0);
}

TEST(ClrStream, GivesTheSameBytesHoweverTheyArrive) {
  const std::string text(1000, 'q');
  Writer out;
  out.clr(text);
  out.clr("short");
  for (std::size_t step = 1; step <= out.size(); step += 7) {
    ClrStream stream;
    std::vector<std::string> values(1);
    std::size_t at = 0, end = 0;
    while (values.size() < 3) {
      ByteCursor in{out.bytes().data() + at, out.bytes().data() + end};
      ByteView piece;
      const auto got = stream.next(in, piece);
      at = static_cast<std::size_t>(in.at - out.bytes().data());
      if (got == ClrStream::Step::kPiece) values.back().append(text_of(piece));
      if (got == ClrStream::Step::kEnd) values.emplace_back();
      ASSERT_NE(got, ClrStream::Step::kMalformed);
      if (got == ClrStream::Step::kNeedMore) end = std::min(end + step, out.size());
    }
    EXPECT_EQ(values[0], text);
    EXPECT_EQ(values[1], "short");
  }
}

}  // namespace
}  // namespace wherry::oracle::wire
