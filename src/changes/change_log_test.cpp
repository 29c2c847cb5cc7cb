#include "changes/change_log.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>
#include <fstream>

#include "changes/shape_codec.h"
#include "changes/test_support.h"

namespace wherry::changes {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace): tests only

/// While it lives no file of this process grows beyond so many bytes, as on a full disk.
class FullDisk {
 public:
  explicit FullDisk(std::uint64_t most_bytes) {
    std::signal(SIGXFSZ, SIG_IGN);
    ::getrlimit(RLIMIT_FSIZE, &before_);
    rlimit limit = before_;
    limit.rlim_cur = most_bytes;
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FullDisk() { ::setrlimit(RLIMIT_FSIZE, &before_); }
  FullDisk(const FullDisk&) = delete;
  FullDisk& operator=(const FullDisk&) = delete;

 private:
  rlimit before_{};
};

class ChangeLog : public ::testing::Test {
 protected:
  ChangeLogWriter writer(const std::string& name, std::size_t block_bytes = 64 * 1024) {
    return ChangeLogWriter(BlockWriter::create(directory_.path() / name, compressor_).value(),
                           block_bytes);
  }
  Result<std::vector<std::string>> read(const std::string& name, std::uint64_t limit = UINT64_MAX) {
    WHERRY_ASSIGN(ChangeLogReader reader,
                  ChangeLogReader::open(directory_.path() / name, directory_.path()));
    std::vector<std::string> out;
    ChangeBatch batch;
    for (;;) {
      batch.reset();
      WHERRY_ASSIGN(const bool has_record, reader.next(limit, batch));
      if (!has_record) return out;
      for (std::string& line : texts_of(batch)) out.push_back(std::move(line));
    }
  }
  /// Adds all records and returns their texts.
  std::vector<std::string> fill(ChangeLogWriter& log, unsigned seed, unsigned transactions,
                                std::size_t most_large_bytes = 3'000) {
    std::mt19937 random(seed);
    std::vector<std::string> out;
    ChangeBatch batch;
    for (unsigned i = 0; i < transactions; ++i) {
      batch.reset();
      add_any_changes(batch, random, directory_.path(), i + 1, most_large_bytes);
      for (const Change& change : batch.changes()) {
        EXPECT_TRUE(log.add(batch, change).ok());
      }
      for (std::string& line : texts_of(batch)) out.push_back(std::move(line));
    }
    return out;
  }

  TempDirectory directory_;
  Compressor compressor_;
};

TEST(ShapeCodec, KeepsEverything) {
  const auto shape = shape_of(7, "EMPLOYEES", 5);
  const std::string bytes = encode_shape(*shape);
  const auto back = decode_shape(bytes);
  ASSERT_NE(back, nullptr);
  EXPECT_NE(back->id, shape->id);  // a number of its own
  connect::RowShape same = *back;
  same.id = shape->id;
  EXPECT_EQ(encode_shape(same), bytes);
  EXPECT_EQ(back->definition.columns[1].number_scale, -2);
  EXPECT_EQ(back->definition.keys[0].columns, std::vector<std::string>{"C0"});
  EXPECT_EQ(back->source, (schema::TableRef{"APP", "OLD_EMPLOYEES"}));
  EXPECT_EQ(back->table_id, 4711U);
  EXPECT_EQ(back->definition.columns[1].number, 2U);
  ASSERT_EQ(back->fills.size(), shape->fills.size());
  EXPECT_EQ(back->fills[0].kind, connect::ColumnFill::Kind::kByRow);
  EXPECT_EQ(back->fills[1].kind, connect::ColumnFill::Kind::kValue);
  EXPECT_EQ(back->fills[1].value, "1.5");
  EXPECT_EQ(back->fills[2].kind, connect::ColumnFill::Kind::kNull);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_EQ(decode_shape(std::string_view(bytes).substr(0, size)), nullptr) << size;
  }
}

TEST_F(ChangeLog, GivesBackWhatWentIn) {
  for (const std::size_t block_bytes : {1, 700, 64 * 1024}) {
    auto log = writer("a", block_bytes);
    const auto expected = fill(log, 1, 30, 600'000);
    ASSERT_TRUE(log.flush().ok());
    const auto back = read("a");
    ASSERT_TRUE(back.ok()) << back.error().to_paragraph();
    EXPECT_EQ(*back, expected);
  }
}

/// Its commits have no users.
TEST_F(ChangeLog, AFileOfVersion1IsRead) {
  std::vector<std::string> expected;
  {
    auto log = writer("a");
    expected = fill(log, 2, 2);
    ASSERT_TRUE(log.flush().ok());
  }
  std::fstream file(directory_.path() / "a", std::ios::binary | std::ios::in | std::ios::out);
  file.seekp(static_cast<std::streamoff>(kFileHead1.size()) - 1);
  file.put(kFileHead1.back());
  file.close();
  EXPECT_EQ(read("a").value(), expected);
}

/// docs/design/change-file.md has the first of them.
TEST(ChangeCodec, ACommitHasItsUserOnlyWhereOneIsKnown) {
  ChangeBatch batch;
  connect::CommitInfo info;
  info.order = 5;
  info.position.text = "at:5";
  info.transaction_id = "tx";
  batch.add(ChangeKind::kCommit, info);
  info.user = "HR";
  batch.add(ChangeKind::kBegin, info);
  std::string bytes;
  encode_record(&batch, batch.changes()[0], bytes);
  EXPECT_EQ(bytes, std::string("\x17\x05\x04\x61\x74\x3a\x35\x00\x02\x74\x78", 11));
  bytes.clear();
  encode_record(&batch, batch.changes()[1], bytes);
  EXPECT_EQ(bytes, std::string("\x30\x05\x04\x61\x74\x3a\x35\x00\x02\x74\x78\x02HR", 14));
  ChangeDecoder decoder;
  LargeValues none;
  std::string_view rest = bytes;
  ChangeBatch out;
  ASSERT_TRUE(decoder.next(rest, none, out).ok());
  EXPECT_EQ(out.commit(out.changes()[0]).user, "HR");
  // A flag without a user is no record of ours.
  bytes[11] = '\0';
  rest = bytes;
  EXPECT_FALSE(decoder.next(rest, none, out).ok());
}

TEST_F(ChangeLog, AReaderKeepsTheShapeOfATable) {
  auto log = writer("a", 1);
  const auto shape = shape_of(3, "T", 1);
  ChangeBatch batch;
  for (int i = 0; i < 3; ++i) add_insert(batch, shape, i);
  batch.add(ChangeKind::kCommit, commit_info(1));
  for (const Change& change : batch.changes()) ASSERT_TRUE(log.add(batch, change).ok());
  log.forget_shapes();
  for (const Change& change : batch.changes()) ASSERT_TRUE(log.add(batch, change).ok());
  ASSERT_TRUE(log.flush().ok());
  auto reader = ChangeLogReader::open(directory_.path() / "a", directory_.path()).value();
  ChangeBatch out;
  while (reader.next(UINT64_MAX, out).value()) {
  }
  ASSERT_EQ(out.changes().size(), 8U);
  for (const Change& change : out.changes()) {
    if (change.shape != nullptr) {
      EXPECT_EQ(change.shape, out.changes()[0].shape);
    }
  }
}

TEST_F(ChangeLog, AFlushEndsAtACommit) {
  auto log = writer("a");
  const auto shape = shape_of(1, "T", 1);
  ChangeBatch batch;
  add_insert(batch, shape, 1);
  batch.add(ChangeKind::kCommit, commit_info(1));
  add_insert(batch, shape, 2);
  for (const Change& change : batch.changes()) ASSERT_TRUE(log.add(batch, change).ok());
  ASSERT_TRUE(log.flush().ok());
  EXPECT_EQ(read("a")->size(), 2U);
  ChangeBatch rest;
  rest.add(ChangeKind::kCommit, commit_info(2));
  ASSERT_TRUE(log.add(rest, rest.changes()[0]).ok());
  ASSERT_TRUE(log.flush().ok());
  EXPECT_EQ(read("a")->size(), 4U);
}

TEST_F(ChangeLog, OfAFileCutAnywhereWholeTransactionsSurvive) {
  std::vector<std::string> expected;
  {
    auto log = writer("a", 200);
    expected = fill(log, 5, 6);
    ASSERT_TRUE(log.flush().ok());
  }
  std::ifstream in(directory_.path() / "a", std::ios::binary);
  const std::string bytes((std::istreambuf_iterator<char>(in)), {});
  std::size_t most = 0;
  for (std::size_t size = 8; size <= bytes.size(); size += 1 + size / 64) {
    std::ofstream(directory_.path() / "b", std::ios::binary) << bytes.substr(0, size);
    const auto log = survey(directory_.path() / "b", directory_.path());
    ASSERT_TRUE(log.ok()) << log.error().to_paragraph();
    EXPECT_LE(log->size_bytes, size);
    EXPECT_EQ(log->was_cut, log->size_bytes != size);
    const auto lines = read("b", log->size_bytes);
    ASSERT_TRUE(lines.ok()) << lines.error().to_paragraph();
    ASSERT_GE(lines->size(), most);
    most = lines->size();
    EXPECT_TRUE(std::equal(lines->begin(), lines->end(), expected.begin()));
    EXPECT_EQ(log->last.has_value(), !lines->empty());
    if (log->last && lines->back().front() == '7') {
      EXPECT_NE(lines->back().find(log->last->position.text), std::string::npos);
    }
  }
}

TEST_F(ChangeLog, ADamagedByteIsNoticed) {
  {
    auto log = writer("a", 300);
    fill(log, 9, 4);
    ASSERT_TRUE(log.flush().ok());
  }
  std::ifstream in(directory_.path() / "a", std::ios::binary);
  const std::string bytes((std::istreambuf_iterator<char>(in)), {});
  for (std::size_t at = 0; at < bytes.size(); at += 1 + at / 32) {
    std::string damaged = bytes;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x10);
    std::ofstream(directory_.path() / "b", std::ios::binary) << damaged;
    const auto lines = read("b");
    ASSERT_FALSE(lines.ok()) << at;
    EXPECT_EQ(lines.error().kind, ErrorKind::kData);
    EXPECT_EQ(lines.error().code,
              at < kFileHead.size() ? "change_file.unknown_format" : "change_file.damaged");
  }
}

TEST_F(ChangeLog, AFullDiskLosesNothing) {
  auto log = writer("a", 500);
  std::mt19937 random(3);
  std::vector<std::string> expected;
  ChangeBatch batch;
  unsigned refused = 0;
  const auto insist = [&](const auto& call) {
    // A little more room after each refusal: some writes get through in part.
    for (std::uint64_t room = 100;; room += 7'000) {
      const FullDisk disk(log.size_bytes() + room);
      const Result<void> done = call();
      if (done.ok()) return;
      EXPECT_EQ(done.error().code, "spill.disk_full");
      EXPECT_EQ(done.error().kind, ErrorKind::kResource);
      ++refused;
    }
  };
  const auto shape = shape_of(1, "T", 2);
  for (unsigned i = 1; i <= 40; ++i) {
    batch.reset();
    const std::string noise = [&] {
      std::string out(random() % 3000, ' ');
      for (char& c : out) c = static_cast<char>(random());
      return out;
    }();
    const Cell large = large_cell(batch, directory_.path(), noise);
    add_row(batch, ChangeKind::kInsert, shape, {}, {text_cell(batch, noise), large});
    batch.add(ChangeKind::kCommit, commit_info(i));
    for (const Change& change : batch.changes()) insist([&] { return log.add(batch, change); });
    for (std::string& line : texts_of(batch)) expected.push_back(std::move(line));
  }
  insist([&] { return log.flush(); });
  EXPECT_GT(refused, 10U);
  const auto back = read("a");
  ASSERT_TRUE(back.ok()) << back.error().to_paragraph();
  EXPECT_EQ(*back, expected);
}

}  // namespace
}  // namespace wherry::changes
