// Every message of pgoutput from bytes made by hand after the server's documentation; what a live
// server sends is compared in changes_pg_test.cpp.
#include "connect/postgres/wire/pgoutput.h"

#include <gtest/gtest.h>

#include <string>

#include "connect/postgres/wire/copy_buffer.h"

namespace wherry::postgres::wire {
namespace {

class Bytes {
 public:
  explicit Bytes(char type) { text_ += type; }
  Bytes& u8(int value) {
    text_ += static_cast<char>(value);
    return *this;
  }
  Bytes& u16(std::uint16_t value) { return stored(value, store_u16); }
  Bytes& u32(std::uint32_t value) { return stored(value, store_u32); }
  Bytes& u64(std::uint64_t value) { return stored(value, store_u64); }
  Bytes& name(const char* value) {
    text_ += value;
    text_ += '\0';
    return *this;
  }
  Bytes& raw(const char* value) {
    text_ += value;
    return *this;
  }
  Bytes& field(char kind, const char* value) {
    u8(kind).u32(static_cast<std::uint32_t>(std::string_view(value).size()));
    return raw(value);
  }
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  template <class T>
  Bytes& stored(T value, void (*store)(char*, T)) {
    char bytes[sizeof(T)];
    store(bytes, value);
    text_.append(bytes, sizeof bytes);
    return *this;
  }
  std::string text_;
};

Bytes relation(const char* schema, std::uint32_t oid = 16400) {
  Bytes out('R');
  out.u32(oid).name(schema).name("t").u8('i').u16(2);
  out.u8(1).name("id").u32(23).u32(0xFFFFFFFF);
  return out.u8(0).name("v").u32(1043).u32(14);
}

/// Decodes what is whole, and nothing that is cut anywhere or has a byte too many.
Message decoded(const Bytes& bytes, bool in_stream = false, bool may_be_shorter = false) {
  const std::string& text = bytes.text();
  const auto attempt = [&](std::string_view piece, Message& out) {
    PgoutputDecoder decoder;
    if (in_stream) {
      Message start;
      EXPECT_TRUE(decoder.decode(Bytes('S').u32(1).u8(1).text(), start));
    }
    return decoder.decode(piece, out);
  };
  Message out;
  for (std::size_t size = 0; size < text.size() && !may_be_shorter; ++size) {
    EXPECT_FALSE(attempt(std::string_view(text).substr(0, size), out)) << text[0] << " of " << size;
  }
  EXPECT_FALSE(attempt(text + "x", out)) << text[0] << " and a byte";
  EXPECT_TRUE(attempt(text, out)) << text[0];
  return out;
}

TEST(Pgoutput, ReadsTheEndsOfATransaction) {
  const Bytes begin = Bytes('B').u64(0x16B374D848).u64(1000).u32(700);
  Message message = decoded(begin);
  EXPECT_EQ(message.type, MessageType::kBegin);
  EXPECT_EQ(message.lsn, 0x16B374D848U);
  EXPECT_EQ(message.time, 1000);
  EXPECT_EQ(message.xid, 700U);
  const Bytes commit = Bytes('C').u8(0).u64(10).u64(20).u64(static_cast<std::uint64_t>(-5));
  message = decoded(commit);
  EXPECT_EQ(message.lsn, 10U);
  EXPECT_EQ(message.end_lsn, 20U);
  EXPECT_EQ(message.time, -5);
  const Bytes origin = Bytes('O').u64(7).name("peer");
  message = decoded(origin);
  EXPECT_EQ(message.lsn, 7U);
  EXPECT_EQ(message.name, "peer");
}

TEST(Pgoutput, ReadsTablesAndTypes) {
  const Bytes table = relation("app");
  const Message message = decoded(table);
  EXPECT_EQ(message.relation, 16400U);
  EXPECT_EQ(message.name_space, "app");
  EXPECT_EQ(message.name, "t");
  EXPECT_EQ(message.identity, 'i');
  ASSERT_EQ(message.columns.size(), 2U);
  EXPECT_TRUE(message.columns[0].is_identity);
  EXPECT_EQ(message.columns[0].name, "id");
  EXPECT_EQ(message.columns[0].modifier, -1);
  EXPECT_FALSE(message.columns[1].is_identity);
  EXPECT_EQ(message.columns[1].type, 1043U);
  EXPECT_EQ(message.columns[1].modifier, 14);
  const Bytes type = Bytes('Y').u32(16500).name("app").name("mood");
  EXPECT_EQ(decoded(type).name, "mood");
}

TEST(Pgoutput, ReadsRows) {
  Bytes insert = Bytes('I').u32(16400).u8('N').u16(4);
  insert.field('t', "abc").u8('n').u8('u').field('b', "12");
  const Message message = decoded(insert);
  ASSERT_EQ(message.after.size(), 4U);
  EXPECT_EQ(message.after[0].bytes, "abc");
  EXPECT_EQ(message.after[1].kind, FieldKind::kNull);
  EXPECT_EQ(message.after[2].kind, FieldKind::kUnchanged);
  EXPECT_EQ(message.after[3].kind, FieldKind::kBinary);
  EXPECT_EQ(message.after[3].bytes, "12");

  const Bytes plain = Bytes('U').u32(1).u8('N').u16(1).field('t', "");
  const Message update = decoded(plain);
  EXPECT_EQ(update.old_kind, 0);
  EXPECT_TRUE(update.before.empty());
  for (const char kind : {'K', 'O'}) {
    Bytes with_old = Bytes('U').u32(1).u8(kind).u16(1).field('t', "old");
    with_old.u8('N').u16(1).field('t', "new");
    const Message both = decoded(with_old);
    EXPECT_EQ(both.old_kind, kind);
    EXPECT_EQ(both.before.at(0).bytes, "old");
    EXPECT_EQ(both.after.at(0).bytes, "new");
    const Bytes removed = Bytes('D').u32(1).u8(kind).u16(1).field('t', "gone");
    EXPECT_EQ(decoded(removed).before.at(0).bytes, "gone");
  }
}

TEST(Pgoutput, KeepsNoOldRowOfAnEarlierMessage) {
  PgoutputDecoder decoder;
  Message message;
  const Bytes removed = Bytes('D').u32(1).u8('K').u16(1).field('t', "gone");
  ASSERT_TRUE(decoder.decode(removed.text(), message));
  const Bytes update = Bytes('U').u32(1).u8('N').u16(1).field('t', "new");
  ASSERT_TRUE(decoder.decode(update.text(), message));
  EXPECT_TRUE(message.before.empty());
  EXPECT_EQ(message.old_kind, 0);
}

TEST(Pgoutput, RefusesRowsThatAreNone) {
  Message message;
  PgoutputDecoder decoder;
  EXPECT_FALSE(decoder.decode(Bytes('I').u32(1).u8('O').u16(0).text(), message));
  EXPECT_FALSE(decoder.decode(Bytes('I').u32(1).u8('N').u16(1).u8('x').text(), message));
  EXPECT_FALSE(decoder.decode(Bytes('D').u32(1).u8('N').u16(0).text(), message));
  EXPECT_FALSE(
      decoder.decode(Bytes('I').u32(1).u8('N').u16(1).u8('t').u32(0xFFFFFFFF).text(), message));
  EXPECT_FALSE(decoder.decode(Bytes('Z').text(), message));
  EXPECT_FALSE(decoder.decode("", message));
}

TEST(Pgoutput, ReadsTruncationsAndMessages) {
  const Bytes truncate = Bytes('T').u32(2).u8(kTruncateCascades).u32(5).u32(6);
  const Message both = decoded(truncate);
  EXPECT_EQ(both.relations, (std::vector<std::uint32_t>{5, 6}));
  EXPECT_EQ(both.flags, kTruncateCascades);
  const Bytes note = Bytes('M').u8(1).u64(9).name("wherry").u32(3).raw("abc");
  const Message message = decoded(note);
  EXPECT_EQ(message.flags, 1);
  EXPECT_EQ(message.name, "wherry");
  EXPECT_EQ(message.content, "abc");
}

TEST(Pgoutput, ReadsTransactionsThatHaveNotEnded) {
  PgoutputDecoder decoder;
  Message message;
  ASSERT_TRUE(decoder.decode(Bytes('S').u32(700).u8(1).text(), message));
  EXPECT_EQ(message.xid, 700U);
  EXPECT_TRUE(decoder.is_in_stream());
  const Bytes insert = Bytes('I').u32(701).u32(16400).u8('N').u16(1).field('t', "a");
  ASSERT_TRUE(decoder.decode(insert.text(), message));
  EXPECT_EQ(message.xid, 701U);
  EXPECT_EQ(message.relation, 16400U);
  ASSERT_TRUE(decoder.decode("E", message));
  EXPECT_FALSE(decoder.is_in_stream());
  const Bytes commit = Bytes('c').u32(700).u8(0).u64(1).u64(2).u64(3);
  EXPECT_EQ(decoded(commit).end_lsn, 2U);
  const Bytes abort = Bytes('A').u32(700).u32(701);
  EXPECT_EQ(decoded(abort).subxid, 701U);
  const Bytes abort_at = Bytes('A').u32(700).u32(701).u64(5).u64(6);
  const Message aborted = decoded(abort_at, false, /*may_be_shorter=*/true);
  EXPECT_EQ(aborted.lsn, 5U);
  EXPECT_EQ(aborted.time, 6);
  const Bytes in_stream = Bytes('T').u32(701).u32(1).u8(0).u32(5);
  EXPECT_EQ(decoded(in_stream, true).xid, 701U);
}

TEST(Pgoutput, ReadsPreparedTransactions) {
  const Bytes begin = Bytes('b').u64(1).u64(2).u64(3).u32(700).name("gid");
  EXPECT_EQ(decoded(begin).name, "gid");
  for (const char type : {'P', 'K', 'p'}) {
    const Bytes prepared = Bytes(type).u8(0).u64(1).u64(2).u64(3).u32(700).name("gid");
    const Message message = decoded(prepared);
    EXPECT_EQ(message.end_lsn, 2U);
    EXPECT_EQ(message.xid, 700U);
    EXPECT_EQ(message.name, "gid");
  }
  const Bytes back = Bytes('r').u8(0).u64(1).u64(2).u64(3).u64(4).u32(700).name("gid");
  const Message message = decoded(back);
  EXPECT_EQ(message.time, 4);
  EXPECT_EQ(message.name, "gid");
}

TEST(Pgoutput, ReadsAndWritesTheFrame) {
  WalMessage wal;
  const Bytes data = Bytes('w').u64(1).u64(2).u64(3).raw("B…");  // wal points into it
  ASSERT_TRUE(decode_wal_message(data.text(), wal));
  EXPECT_EQ(wal.data, "B…");
  EXPECT_EQ(wal.start, 1U);
  ASSERT_TRUE(decode_wal_message(Bytes('k').u64(9).u64(3).u8(1).text(), wal));
  EXPECT_EQ(wal.end, 9U);
  EXPECT_TRUE(wal.wants_reply);
  EXPECT_FALSE(decode_wal_message(Bytes('k').u64(9).u64(3).text(), wal));
  EXPECT_FALSE(decode_wal_message(Bytes('x').u64(9).text(), wal));
  EXPECT_FALSE(decode_wal_message("", wal));
  char status[kStatusBytes];
  encode_status(status, 7, 6, 5, true);
  EXPECT_EQ(std::string_view(status, sizeof status),
            Bytes('r').u64(7).u64(6).u64(6).u64(5).u8(1).text());
}

}  // namespace
}  // namespace wherry::postgres::wire
