// Generated values of every type: loaded by binary COPY, read back through the snapshot, compared.
#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <stdexcept>

#include "connect/postgres/pg_test_support.h"
#include "core/civil_time.h"
#include "core/spill_file.h"

namespace wherry::postgres::test {
namespace {

using schema::LogicalType;
using schema::TypeKind;

constexpr std::int64_t kRows = 3'000;

struct Column {
  std::string name;
  LogicalType type;
};

std::vector<std::pair<std::string, LogicalType>> all_types() {
  LogicalType text = logical(TypeKind::kText);
  text.length_chars = 60;
  LogicalType bytes = logical(TypeKind::kBytes);
  bytes.length_bytes = 16;
  return {{"id", logical(TypeKind::kInt64)},
          {"flag", logical(TypeKind::kBoolean)},
          {"i2", logical(TypeKind::kInt16)},
          {"i4", logical(TypeKind::kInt32)},
          {"any_number", decimal_type(0, 0)},
          {"money", decimal_type(10, 2)},
          {"thousands", decimal_type(5, -3)},
          {"tiny", decimal_type(3, 7)},
          {"f4", logical(TypeKind::kFloat32)},
          {"f8", logical(TypeKind::kFloat64)},
          {"words", text},
          {"story", logical(TypeKind::kClob)},
          {"raw", bytes},
          {"picture", logical(TypeKind::kBlob)},
          {"day", logical(TypeKind::kTimestamp, 0)},
          {"at", logical(TypeKind::kTimestamp, 6)},
          {"nano", logical(TypeKind::kTimestamp, 9)},
          {"zoned", logical(TypeKind::kTimestampTz, 6)},
          {"zoned_nano", logical(TypeKind::kTimestampTz, 9)},
          {"local", logical(TypeKind::kTimestampLtz, 6)},
          {"local_nano", logical(TypeKind::kTimestampLtz, 9)},
          {"months", logical(TypeKind::kIntervalYm)},
          {"span", logical(TypeKind::kIntervalDs, 6)},
          {"span_nano", logical(TypeKind::kIntervalDs, 9)},
          {"address", logical(TypeKind::kRowAddress)},
          {"doc", logical(TypeKind::kJson)}};
}

/// Random values of a type over its whole range, edges more often than chance would have it.
class Generator {
 public:
  explicit Generator(std::uint64_t seed) : random_(seed) {}

  std::int64_t integer(std::int64_t low, std::int64_t high) {
    return std::uniform_int_distribution<std::int64_t>(low, high)(random_);
  }
  bool one_in(int n) { return integer(1, n) == 1; }

  void fill(Cell& cell, const LogicalType& type, Arena& arena) {
    const CellKind kind = cell_kind_of(type);
    if (one_in(10)) return set_null(cell, kind);
    switch (kind) {
      case CellKind::kBool:
        return set_integer(cell, integer(0, 1), kind);
      case CellKind::kInt64:
        return set_integer(cell, whole(type), kind);
      case CellKind::kDecimal:
        return set_decimal(cell, decimal(type), arena);
      case CellKind::kFloat32:
        set_integer(cell, 0, kind);
        cell.payload.f32 = floating<float>();
        return;
      case CellKind::kFloat64:
        set_integer(cell, 0, kind);
        cell.payload.f64 = floating<double>();
        return;
      case CellKind::kText:
        return set_text(cell, text(type), arena);
      case CellKind::kBytes:
        return set_text(cell, bytes(type), arena, kind);
      case CellKind::kTimestamp:
      case CellKind::kTimestampTz:
        return time(cell, type, kind);
      case CellKind::kIntervalYm:
        return set_integer(cell, integer(-11'999'999'999, 11'999'999'999), kind);
      case CellKind::kIntervalDs:
        return seconds(cell, type);
    }
  }

 private:
  std::int64_t whole(const LogicalType& type) {
    const std::int64_t limit = type.kind == TypeKind::kInt16   ? INT16_MAX
                               : type.kind == TypeKind::kInt32 ? INT32_MAX
                                                               : INT64_MAX;
    if (one_in(8)) return one_in(2) ? limit : -limit - 1;
    return integer(-limit - 1, limit);
  }

  std::string digits(std::int64_t count) {
    std::string out;
    for (std::int64_t i = 0; i < count; ++i) out += static_cast<char>('0' + integer(0, 9));
    return out;
  }

  /// Oracle's NUMBER: up to 40 digits, 1e-130 to 1e126.
  std::string decimal(const LogicalType& type) {
    const std::string sign = one_in(2) ? "-" : "";
    if (one_in(20)) return "0";
    if (type.precision == 0) {
      if (one_in(20)) return sign + (one_in(2) ? "1e-130" : std::string(38, '9') + "e88");
      const std::string value = digits(integer(1, 40));
      const std::int64_t exponent = integer(-130, 126 - static_cast<std::int64_t>(value.size()));
      return sign + value + "e" + std::to_string(exponent);
    }
    const std::string value = one_in(5) ? std::string(static_cast<std::size_t>(type.precision), '9')
                                        : digits(integer(1, type.precision));
    return sign + value + "e" + std::to_string(-type.scale);
  }

  template <class Float>
  Float floating() {
    using Limits = std::numeric_limits<Float>;
    const Float special[] = {
        Limits::quiet_NaN(), Limits::infinity(),   -Limits::infinity(), Limits::max(),
        Limits::lowest(),    Limits::denorm_min(), Limits::min(),       Float{0}};
    if (one_in(4)) return special[integer(0, 7)];
    for (;;) {
      Float value = 0;
      const std::uint64_t bits = random_();
      std::memcpy(&value, &bits, sizeof value);
      if (std::isfinite(value)) return value;
    }
  }

  void append_character(std::string& out) {
    // One plane in three is the first; no U+0000, which is not kept, and no surrogates.
    std::uint32_t point = 0;
    do {
      point = static_cast<std::uint32_t>(one_in(3)   ? integer(1, 0x7F)
                                         : one_in(2) ? integer(0x80, 0xFFFF)
                                                     : integer(0x10000, 0x10FFFF));
    } while (point >= 0xD800 && point < 0xE000);
    if (point < 0x80) {
      out += static_cast<char>(point);
    } else if (point < 0x800) {
      out += static_cast<char>(0xC0 | point >> 6);
      out += static_cast<char>(0x80 | (point & 0x3F));
    } else if (point < 0x10000) {
      out += static_cast<char>(0xE0 | point >> 12);
      out += static_cast<char>(0x80 | (point >> 6 & 0x3F));
      out += static_cast<char>(0x80 | (point & 0x3F));
    } else {
      out += static_cast<char>(0xF0 | point >> 18);
      out += static_cast<char>(0x80 | (point >> 12 & 0x3F));
      out += static_cast<char>(0x80 | (point >> 6 & 0x3F));
      out += static_cast<char>(0x80 | (point & 0x3F));
    }
  }

  std::string text(const LogicalType& type) {
    if (type.kind == TypeKind::kRowAddress) return "AAAR3sAAEAAAACXAA" + digits(1);
    if (type.kind == TypeKind::kJson) return "{\"a\":[" + digits(3) + ",null]}";
    const std::int64_t most = type.length_chars != 0 ? type.length_chars : 3'000;
    std::string out;
    for (std::int64_t n = one_in(10) ? 0 : integer(0, most); n > 0; --n) append_character(out);
    return out;
  }

  std::string bytes(const LogicalType& type) {
    std::string out(static_cast<std::size_t>(integer(0, type.length_bytes != 0 ? 16 : 3'000)), ' ');
    for (char& c : out) c = static_cast<char>(integer(0, 255));
    return out;
  }

  void time(Cell& cell, const LogicalType& type, CellKind kind) {
    static const std::int64_t first = micros_from_civil({-4711, 1, 2, 0, 0, 0, 0});
    static const std::int64_t last = micros_from_civil({9999, 12, 30, 23, 59, 59, 999'999});
    std::int64_t micros = one_in(12) ? first : one_in(12) ? last : integer(first, last);
    if (type.fraction_digits == 0) micros -= ((micros % 1'000'000) + 1'000'000) % 1'000'000;
    set_integer(cell, micros, kind);
    if (type.fraction_digits == 9) cell.nanos = static_cast<std::uint16_t>(integer(0, 999));
    if (type.kind == TypeKind::kTimestampTz) {
      cell.extra = static_cast<std::int32_t>(integer(-839, 840));
    }
  }

  void seconds(Cell& cell, const LogicalType& type) {
    constexpr std::int64_t kMost = 86'400'000'000'000 - 1;  // nine digits of days
    set_integer(cell, one_in(10) ? 0 : integer(-kMost, kMost), CellKind::kIntervalDs);
    std::int64_t nanos = integer(0, 999'999'999);
    if (type.fraction_digits == 6) nanos -= nanos % 1000;
    const bool is_negative = cell.payload.i64 < 0 || (cell.payload.i64 == 0 && one_in(2));
    cell.extra = static_cast<std::int32_t>(is_negative ? -nanos : nanos);
  }

  std::mt19937_64 random_;
};

std::string bytes_of(const Cell& cell) {
  if (cell.state == CellState::kSet) return std::string(cell.bytes());
  const auto& value = *reinterpret_cast<const SpilledValue*>(cell.payload.ptr);
  std::string out(value.size_bytes, '?');
  const auto got = value.file->read(value.offset_bytes,
                                    std::as_writable_bytes(std::span(out.data(), out.size())));
  return got.ok() && *got == out.size() ? out : "(unreadable)";
}

::testing::AssertionResult equal(const Cell& a, const Cell& b) {
  const auto differ = [](const std::string& what) { return ::testing::AssertionFailure() << what; };
  if (a.kind != b.kind) return differ("kinds");
  if (a.is_null() || b.is_null()) {
    return a.is_null() == b.is_null() ? ::testing::AssertionSuccess() : differ("one is NULL");
  }
  switch (a.kind) {
    case CellKind::kFloat32:
      if (std::isnan(a.payload.f32) && std::isnan(b.payload.f32)) break;
      if (a.payload.f32 != b.payload.f32) return differ("floats");
      break;
    case CellKind::kFloat64:
      if (std::isnan(a.payload.f64) && std::isnan(b.payload.f64)) break;
      if (a.payload.f64 != b.payload.f64) return differ("doubles");
      break;
    case CellKind::kDecimal: {
      const DecimalView& x = decimal_of(a);
      const DecimalView& y = decimal_of(b);
      const bool same = compare(x, y) == 0 && x.digit_count == y.digit_count && x.scale == y.scale;
      if (!same) return differ(to_text(x) + " and " + to_text(y));
      break;
    }
    case CellKind::kText:
    case CellKind::kBytes:
      if (bytes_of(a) != bytes_of(b)) return differ("bytes");
      break;
    case CellKind::kTimestampTz:
    case CellKind::kIntervalDs:
      if (a.extra != b.extra) return differ("offset or nanoseconds");
      [[fallthrough]];
    default:
      if (a.payload.i64 != b.payload.i64 || a.nanos != b.nanos) {
        return differ(std::to_string(a.payload.i64) + " and " + std::to_string(b.payload.i64));
      }
  }
  return ::testing::AssertionSuccess();
}

class RoundTrip : public PostgresTest {
 protected:
  /// Reads the whole table by key and compares it with `written`, row by row.
  void compare_all(const schema::TablePlanPtr& plan, const std::vector<const RowBatch*>& written) {
    auto snapshot = connector_->open_snapshot(context_, settings_, Position{});
    WHERRY_EXPECT_OK(snapshot);
    auto reader = (*snapshot)->open(context_, plan, connect::Chunk{}, connect::RowOrder::kByKey);
    WHERRY_EXPECT_OK(reader);
    std::size_t batch = 0;
    std::size_t row = 0;
    RowBatch read;
    for (connect::ReadState state = connect::ReadState::kMore;
         state == connect::ReadState::kMore;) {
      auto result = (*reader)->read(context_, read);
      WHERRY_EXPECT_OK(result);
      state = *result;
      for (std::size_t r = 0; r < read.row_count(); ++r, ++row) {
        if (batch < written.size() && row == written[batch]->row_count()) {
          ++batch;
          row = 0;
        }
        ASSERT_LT(batch, written.size()) << "more rows than written";
        for (std::size_t c = 0; c < plan->columns.size(); ++c) {
          ASSERT_TRUE(equal(written[batch]->at(row, c), read.at(r, c)))
              << plan->columns[c].target_name << " of row " << row;
        }
      }
    }
    ASSERT_EQ(batch + 1, written.size());
    ASSERT_EQ(row, written.back()->row_count());
  }
};

TEST_F(RoundTrip, EveryTypeComesBackEqual) {
  const auto plan = plan_of("everything", all_types());
  Generator generator(20260809);
  std::vector<std::unique_ptr<RowBatch>> batches;
  std::vector<const RowBatch*> views;
  for (std::int64_t id = 0; id < kRows;) {
    batches.push_back(std::make_unique<RowBatch>());
    RowBatch& batch = *batches.back();
    batch.reset(plan->columns.size());
    for (; id < kRows && !batch.is_full(); ++id) {
      Cell* row = batch.append_row();
      set_integer(row[0], id);
      for (std::size_t c = 1; c < plan->columns.size(); ++c) {
        generator.fill(row[c], plan->columns[c].type, batch.arena());
      }
    }
    views.push_back(&batch);
  }
  ASSERT_GT(batches.size(), 5U);
  auto report = load(plan, views);
  WHERRY_EXPECT_OK(report);
  EXPECT_EQ(report->rows, static_cast<std::uint64_t>(kRows));
  EXPECT_GT(report->bytes, 1'000'000U);
  compare_all(plan, views);
}

TEST_F(RoundTrip, TheServerShowsTheDocumentedTexts) {
  const auto plan = plan_of("texts", {{"id", logical(TypeKind::kInt32)},
                                      {"n", decimal_type(0, 0)},
                                      {"nano", logical(TypeKind::kTimestamp, 9)},
                                      {"zoned", logical(TypeKind::kTimestampTz, 6)},
                                      {"months", logical(TypeKind::kIntervalYm)},
                                      {"span", logical(TypeKind::kIntervalDs, 6)},
                                      {"at", logical(TypeKind::kTimestamp, 6)}});
  RowBatch batch;
  batch.reset(plan->columns.size());
  Cell* row = batch.append_row();
  const std::int64_t micros = micros_from_civil({2026, 8, 9, 12, 13, 14, 123'456});
  set_integer(row[0], 1);
  set_decimal(row[1], "-1234567890.000012", batch.arena());
  set_integer(row[2], micros, CellKind::kTimestamp);
  row[2].nanos = 789;
  set_integer(row[3], micros, CellKind::kTimestampTz);
  row[3].extra = 150;
  set_integer(row[4], 14, CellKind::kIntervalYm);
  set_integer(row[5], 273'906, CellKind::kIntervalDs);
  set_integer(row[6], micros_from_civil({-43, 3, 15, 0, 0, 0, 0}), CellKind::kTimestamp);
  WHERRY_EXPECT_OK(load(plan, {&batch}));
  const auto shown = [&](const char* column) {
    return value("select \"" + std::string(column) + "\"::text from app.texts");
  };
  EXPECT_EQ(shown("n"), "-1234567890.000012");
  EXPECT_EQ(shown("nano"), "2026-08-09 12:13:14.123456789");
  EXPECT_EQ(shown("zoned"), "2026-08-09 14:43:14.123456 +02:30");
  EXPECT_EQ(shown("months"), "+01-02");
  EXPECT_EQ(shown("span"), "+03 04:05:06.000000");
  EXPECT_EQ(shown("at"), "0044-03-15 00:00:00 BC");
  // PostgreSQL reads the texts as what they mean.
  EXPECT_EQ(
      value("select (zoned::timestamptz = '2026-08-09 12:13:14.123456+00')::text from app.texts"),
      "true");
  EXPECT_EQ(
      value("select (months::interval = '14 months' and span::interval = '3 days 04:05:06')::text "
            "from app.texts"),
      "true");
}

TEST_F(RoundTrip, SpilledValuesStreamBothWays) {
  auto plan = plan_of("big", {{"id", logical(TypeKind::kInt32)},
                              {"story", logical(TypeKind::kClob)},
                              {"picture", logical(TypeKind::kBlob)}});
  auto file = SpillFile::create(::testing::TempDir());
  WHERRY_EXPECT_OK(file);
  RowBatch batch;
  batch.reset(3);
  batch.keep(*file);
  // Three bytes a character: pieces of any even size end inside one.
  std::string text;
  while (text.size() < 5'000'000) text += "€";
  std::string bytes(3'000'001, '\0');
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(i * 7 % 251);
  for (int id = 1; id <= 3; ++id) {
    Cell* row = batch.append_row();
    set_integer(row[0], id);
    for (const auto& [column, kind, data] :
         {std::tuple{1, CellKind::kText, &text}, std::tuple{2, CellKind::kBytes, &bytes}}) {
      const SpilledValue place{file->get(), (*file)->size_bytes(), data->size()};
      WHERRY_EXPECT_OK((*file)->append(*data));
      set_integer(row[column], 0, kind);
      row[column].payload.ptr = batch.arena().copy(&place, sizeof place);
      row[column].state = CellState::kSpilled;
    }
  }
  WHERRY_EXPECT_OK(load(plan, {&batch}));
  EXPECT_EQ(value("select sum(length(story))::text from app.big"), std::to_string(text.size()));
  compare_all(plan, {&batch});
}

TEST_F(RoundTrip, ExistingColumnTypesWin) {
  run("create schema app; create domain app.cents as numeric(12,2); create type app.mood as enum "
      "('sad', 'glad'); create table app.own (id bigint, price app.cents, flag boolean, day date, "
      "at timestamptz, months interval, span interval, u uuid, m app.mood, doc jsonb, c char(8), "
      "f double precision, t text)");
  LogicalType raw = logical(TypeKind::kBytes);
  auto plan = plan_of("own", {{"id", decimal_type(10, 0)},
                              {"price", decimal_type(0, 0)},
                              {"flag", logical(TypeKind::kInt16)},
                              {"day", logical(TypeKind::kTimestamp, 0)},
                              {"at", logical(TypeKind::kTimestampTz, 6)},
                              {"months", logical(TypeKind::kIntervalYm)},
                              {"span", logical(TypeKind::kIntervalDs, 6)},
                              {"u", raw},
                              {"m", logical(TypeKind::kText)},
                              {"doc", logical(TypeKind::kClob)},
                              {"c", logical(TypeKind::kText)},
                              {"f", decimal_type(0, 0)},
                              {"t", decimal_type(0, 0)}});
  RowBatch batch;
  batch.reset(plan->columns.size());
  Cell* row = batch.append_row();
  Arena& arena = batch.arena();
  set_decimal(row[0], "42", arena);
  set_decimal(row[1], "99.95", arena);
  set_integer(row[2], 1);
  set_integer(row[3], micros_from_civil({2024, 2, 29, 0, 0, 0, 0}), CellKind::kTimestamp);
  set_integer(row[4], micros_from_civil({2024, 2, 29, 1, 2, 3, 4}), CellKind::kTimestampTz);
  set_integer(row[5], -14, CellKind::kIntervalYm);
  set_integer(row[6], -273'906, CellKind::kIntervalDs);
  row[6].extra = -500'000'000;
  set_text(row[7], std::string(16, '\x7F'), arena, CellKind::kBytes);
  set_text(row[8], "glad", arena);
  set_text(row[9], "{\"a\": 1}", arena);
  set_text(row[10], "abc", arena);
  set_decimal(row[11], "0.1", arena);
  set_decimal(row[12], "-12.5", arena);
  WHERRY_EXPECT_OK(load(plan, {&batch}, connect::ExistingTable::kKeep));
  EXPECT_EQ(
      value("select row(id, price, flag, day, months, span, u, m, doc, f, t)::text from app.own"),
      "(42,99.95,t,2024-02-29,\"-1 years -2 mons\",\"-3 days -04:05:06.5\","
      "7f7f7f7f-7f7f-7f7f-7f7f-7f7f7f7f7f7f,glad,\"{\"\"a\"\": 1}\",0.1,-12.5)");
  compare_all(plan, {&batch});
  // What was there keeps its keys, or has none.
  EXPECT_EQ(value("select count(*) from pg_index where indrelid = 'app.own'::regclass"), "0");
}

/// Keys of types that are stored as text sort by what they mean.
TEST_F(RoundTrip, KeysSortByValueNotByText) {
  struct Case {
    const char* name;
    LogicalType type;
  };
  LogicalType text = logical(TypeKind::kText);
  text.length_chars = 40;
  for (const Case& c : {Case{"nano", logical(TypeKind::kTimestamp, 9)},
                        Case{"zoned", logical(TypeKind::kTimestampTz, 9)},
                        Case{"months", logical(TypeKind::kIntervalYm)},
                        Case{"span", logical(TypeKind::kIntervalDs, 9)}, Case{"words", text},
                        Case{"number", decimal_type(0, 0)}}) {
    const auto plan = plan_of(c.name, {{"k", c.type}});
    Generator generator(5);
    RowBatch source;
    source.reset(1);
    for (int i = 0; i < 300; ++i) {
      Cell* row = source.append_row();
      do {
        generator.fill(*row, c.type, source.arena());
      } while (row->is_null());
    }
    auto no_key = std::make_shared<schema::TablePlan>(*plan);
    no_key->key.clear();
    WHERRY_EXPECT_OK(load(no_key, {&source}));
    auto snapshot = connector_->open_snapshot(context_, settings_, Position{});
    WHERRY_EXPECT_OK(snapshot);
    auto reader = (*snapshot)->open(context_, plan, connect::Chunk{}, connect::RowOrder::kByKey);
    WHERRY_EXPECT_OK(reader);
    RowBatch read(64 * 1024 * 1024);
    WHERRY_EXPECT_OK((*reader)->read(context_, read));
    ASSERT_EQ(read.row_count(), 300U);
    for (std::size_t r = 1; r < read.row_count(); ++r) {
      const Cell& a = read.at(r - 1, 0);
      const Cell& b = read.at(r, 0);
      bool in_order = true;
      if (a.kind == CellKind::kText) {
        in_order = a.bytes() <= b.bytes();
      } else if (a.kind == CellKind::kDecimal) {
        in_order = compare(decimal_of(a), decimal_of(b)) <= 0;
      } else if (a.payload.i64 == b.payload.i64) {
        in_order = a.kind == CellKind::kIntervalDs ? a.extra <= b.extra : a.nanos <= b.nanos;
      } else {
        in_order = a.payload.i64 < b.payload.i64;
      }
      ASSERT_TRUE(in_order) << c.name << " row " << r;
    }
  }
}

TEST_F(RoundTrip, ChunksCoverATableOnce) {
  run("create schema app; create table app.many (id integer, filler text); "
      "insert into app.many select i, repeat('x', 900) from generate_series(1, 40000) i; "
      "analyze app.many");
  const auto plan = plan_of("many", {{"id", logical(TypeKind::kInt32)}});
  auto snapshot = connector_->open_snapshot(context_, settings_, Position{});
  WHERRY_EXPECT_OK(snapshot);
  run("delete from app.many where id % 2 = 0; insert into app.many values (0, 'late')");
  schema::TableDef table;
  table.table = {"app", "many"};
  auto chunks =
      (*snapshot)->plan(context_, table, connect::ChunkHints{.max_chunks = 4, .wanted_chunks = 4});
  WHERRY_EXPECT_OK(chunks);
  // Before version 14 a range of rows' addresses costs a scan of the whole table.
  ASSERT_EQ(chunks->size(), major_version() >= 14 ? 4U : 1U);
  std::vector<int> seen(40'001, 0);
  for (const connect::Chunk& chunk : *chunks) {
    auto reader = (*snapshot)->open(context_, plan, chunk, connect::RowOrder::kAny);
    WHERRY_EXPECT_OK(reader);
    RowBatch batch;
    std::size_t rows = 0;
    for (connect::ReadState state = connect::ReadState::kMore;
         state == connect::ReadState::kMore;) {
      auto result = (*reader)->read(context_, batch);
      WHERRY_EXPECT_OK(result);
      state = *result;
      rows += batch.row_count();
      for (std::size_t r = 0; r < batch.row_count(); ++r) {
        ++seen[static_cast<std::size_t>(batch.at(r, 0).payload.i64)];
      }
    }
    EXPECT_GT(rows, 5'000U);
  }
  EXPECT_EQ(seen[0], 0);
  EXPECT_TRUE(std::all_of(seen.begin() + 1, seen.end(), [](int n) { return n == 1; }));
}

}  // namespace
}  // namespace wherry::postgres::test
