// Rows that the target cannot take: which are left out, what is told of them, what is written down.
#include "connect/postgres/pg_test_support.h"
#include "connect/postgres/wire/encoder.h"
#include "core/spill_file.h"

namespace wherry::postgres::test {
namespace {

using connect::ExistingTable;
using schema::TypeKind;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

struct Collected final : connect::RowRefusalSink {
  Result<void> on_row_refused(const connect::RowRefusal& refusal) override {
    all.push_back(refusal);
    if (all.size() > most) return refusal.error;
    return {};
  }
  [[nodiscard]] std::vector<std::string> keys() const {
    std::vector<std::string> out;
    for (const auto& refusal : all) out.push_back(refusal.key + " " + refusal.error.code);
    return out;
  }
  std::vector<connect::RowRefusal> all;
  std::size_t most = 1'000'000;
};

class RowErrors : public PostgresTest {
 protected:
  static std::shared_ptr<schema::TablePlan> plan() {
    schema::LogicalType text = logical(TypeKind::kText);
    return plan_of("orders", {{"id", logical(TypeKind::kInt32)},
                              {"name", text},
                              {"at", logical(TypeKind::kTimestamp, 6)},
                              {"story", logical(TypeKind::kClob)}});
  }
  std::unique_ptr<RowBatch> rows(int first, int count) {
    auto batch = std::make_unique<RowBatch>();
    batch->reset(4);
    for (int i = 0; i < count; ++i) {
      Cell* row = batch->append_row();
      set_integer(row[0], first + i);
      set_text(row[1], "n" + std::to_string(first + i), batch->arena());
      set_integer(row[2], 0, CellKind::kTimestamp);
      set_null(row[3], CellKind::kText);
    }
    return batch;
  }

  /// As the engine does it: fast, and carefully when the server refused a row.
  Result<connect::LoadReport> load_tolerantly(const std::vector<const RowBatch*>& batches,
                                              Collected& sink) {
    const auto target = loader();
    connect::ControlTables control;
    control.task_name = "night";
    WHERRY_ASSIGN(const auto writer, target->open_control(context_, control));
    WHERRY_TRY(target->prepare(context_, *plan(), ExistingTable::kKeep));
    for (const bool is_careful : {false, true}) {
      was_careful_ = is_careful;
      sink.all.clear();
      WHERRY_ASSIGN(const auto session, target->begin(context_, plan(), connect::Segment{}));
      const auto report = load_once(*session, batches, sink, is_careful);
      if (report.ok() || is_careful || !session->may_isolate()) return report;
    }
    return make_error(ErrorKind::kInternal, "test", "not reached");
  }
  Result<connect::LoadReport> load_once(connect::LoadSession& session,
                                        const std::vector<const RowBatch*>& batches,
                                        Collected& sink, bool is_careful) {
    WHERRY_TRY(session.tolerate(context_, sink, is_careful));
    for (const RowBatch* batch : batches) WHERRY_TRY(session.write(context_, *batch));
    return session.finish(context_);
  }
  bool was_careful_ = false;
};

TEST_F(RowErrors, ValuesThatNoColumnHoldsLeaveTheOthersAlone) {
  run("create schema app; create table app.orders (id integer primary key, name varchar(6), at "
      "timestamp(0), story text)");
  const auto batch = rows(1, 1000);
  set_text(batch->row(1)[1], "far too long", batch->arena());
  set_text(batch->row(2)[1], "\xC3(", batch->arena());
  set_integer(batch->row(3)[2], 1, CellKind::kTimestamp);
  Cell& unreadable = batch->row(4)[2];
  unreadable.state = CellState::kUnreadable;
  constexpr std::string_view kReason = "is no date";
  unreadable.payload.ptr = reinterpret_cast<const std::byte*>(kReason.data());
  unreadable.size_bytes = static_cast<std::uint32_t>(kReason.size());
  Collected sink;
  auto report = load_tolerantly({batch.get()}, sink);
  WHERRY_EXPECT_OK(report);
  EXPECT_FALSE(was_careful_);
  EXPECT_EQ(report->rows, 996U);
  EXPECT_EQ(report->refused_rows, 4U);
  EXPECT_THAT(sink.keys(), ElementsAre("id=2 postgres.value_too_long", "id=3 postgres.bad_text",
                                       "id=4 postgres.value_would_be_cut",
                                       "id=5 postgres.unreadable_at_source"));
  EXPECT_TRUE(sink.all[0].is_truncation);
  EXPECT_FALSE(sink.all[1].is_truncation);
  EXPECT_TRUE(sink.all[2].is_truncation);
  EXPECT_THAT(sink.all[3].error.to_paragraph(), HasSubstr("is no date"));
  EXPECT_EQ(value("select count(*) || ' ' || min(id) || ' ' || max(id) from app.orders"),
            "996 1 1000");
  EXPECT_EQ(value("select count(*) || ' ' || min(\"TASK_NAME\" || \"TABLE_OWNER\" || "
                  "\"TABLE_NAME\") from public.awsdms_apply_exceptions"),
            "4 nightapporders");
  EXPECT_EQ(value("select \"STATEMENT\" from public.awsdms_apply_exceptions where \"ERROR\" like "
                  "'%longer than%'"),
            "INSERT INTO \"app\".\"orders\" (\"id\", \"name\", \"at\", \"story\") VALUES ('2', "
            "'far too long', '1970-01-01 00:00:00.000000000', NULL)");
}

/// The source has not even read it.
TEST_F(RowErrors, AValueAboveAGigabyteLeavesItsRowOut) {
  run("create schema app; create table app.orders (id integer primary key, name text, at "
      "timestamp, "
      "story text)");
  const auto batch = rows(1, 10);
  constexpr std::uint64_t kHuge = 3ULL * 1024 * 1024 * 1024;
  const SpilledValue unread{nullptr, 0, kHuge};
  Cell& cell = batch->row(4)[3];
  cell.state = CellState::kSpilled;
  cell.payload.ptr = batch->arena().copy(&unread, sizeof unread);
  Collected sink;
  auto report = load_tolerantly({batch.get()}, sink);
  WHERRY_EXPECT_OK(report);
  EXPECT_THAT(sink.keys(), ElementsAre("id=5 postgres.value_too_large"));
  EXPECT_THAT(sink.all[0].error.to_paragraph(), HasSubstr("1 GB"));
  EXPECT_EQ(value("select count(*) from app.orders"), "9");
  EXPECT_EQ(value("select count(*) from public.awsdms_apply_exceptions where \"STATEMENT\" like "
                  "'%/* " +
                  std::to_string(kHuge) + " bytes */%'"),
            "1");
  EXPECT_EQ(loader()->max_value_bytes(), wire::kMaxValueBytes);
}

TEST_F(RowErrors, RowsThatOnlyTheServerRefusesAreFoundOneByOne) {
  run("create schema app; create domain app.short as text check (length(value) < 5); "
      "create table app.orders (id integer primary key, name app.short, at timestamp, story jsonb, "
      "constraint odd check (id <> 13)); insert into app.orders values (500, 'old')");
  const auto first = rows(1, 400);
  const auto second = rows(401, 400);
  set_text(first->row(6)[1], "n12345", first->arena());
  set_text(first->row(20)[3], "{not json", first->arena());
  set_text(first->row(21)[3], "{\"a\": 1}", first->arena());
  set_text(second->row(399)[1], "\xFF", second->arena());
  set_integer(second->row(10)[0], 409);
  Collected sink;
  auto report = load_tolerantly({first.get(), second.get()}, sink);
  WHERRY_EXPECT_OK(report);
  EXPECT_TRUE(was_careful_);
  EXPECT_THAT(sink.keys(),
              ElementsAre("id=7 postgres.check_violated", "id=13 postgres.check_violated",
                          "id=21 postgres.bad_value", "id=800 postgres.bad_text",
                          "id=409 postgres.duplicate_key", "id=500 postgres.duplicate_key"));
  EXPECT_EQ(report->rows, 794U);
  EXPECT_EQ(value("select count(*) from app.orders"), "795");
  EXPECT_EQ(value("select story->>'a' from app.orders where id = 22"), "1");
  EXPECT_THAT(sink.all[1].error.to_paragraph(), HasSubstr("odd"));
  EXPECT_EQ(value("select count(*) from public.awsdms_apply_exceptions"), "6");
}

TEST_F(RowErrors, DeferredConstraintsAndTriggersAreFoundToo) {
  run("create schema app; create table app.orders (id integer, name text unique deferrable "
      "initially deferred, at timestamp, story text); create function app.no() returns trigger "
      "language plpgsql as $$begin if new.id = 7 then raise exception 'not seven'; end if; return "
      "new; end$$; create trigger no before insert on app.orders for each row execute function "
      "app.no(); alter table app.orders enable always trigger no");
  const auto batch = rows(1, 300);
  set_text(batch->row(100)[1], "n50", batch->arena());
  Collected sink;
  auto report = load_tolerantly({batch.get()}, sink);
  WHERRY_EXPECT_OK(report);
  EXPECT_THAT(sink.keys(),
              ElementsAre("id=7 postgres.trigger_refused", "id=101 postgres.duplicate_key"));
  EXPECT_EQ(value("select count(*) from app.orders"), "298");
}

TEST_F(RowErrors, ASpilledValueThatIsNoTextIsNoticedBeforeAnythingIsSent) {
  run("create schema app; create table app.orders (id integer primary key, name varchar(3), at "
      "timestamp, story text)");
  auto file = SpillFile::create(::testing::TempDir());
  WHERRY_EXPECT_OK(file);
  const auto batch = rows(1, 4);
  batch->keep(*file);
  const auto spill = [&](std::size_t r, const std::string& text) {
    const SpilledValue place{file->get(), (*file)->size_bytes(), text.size()};
    WHERRY_EXPECT_OK((*file)->append(text));
    Cell& cell = batch->row(r)[3];
    set_integer(cell, 0, CellKind::kText);
    cell.payload.ptr = batch->arena().copy(&place, sizeof place);
    cell.state = CellState::kSpilled;
  };
  const std::string large(700'000, 'x');
  spill(0, large);
  spill(1, large + "\xC3(" + large);
  spill(2, large);
  spill(3, large);
  set_text(batch->row(2)[1], "four", batch->arena());  // a column before the large one
  Collected sink;
  auto report = load_tolerantly({batch.get()}, sink);
  WHERRY_EXPECT_OK(report);
  EXPECT_THAT(sink.keys(), ElementsAre("id=2 postgres.bad_text", "id=3 postgres.value_too_long"));
  EXPECT_EQ(value("select string_agg(id || ':' || length(story), ' ' order by id) from app.orders"),
            "1:700000 4:700000");
}

TEST_F(RowErrors, ManyExceptionsAreWrittenInBetween) {
  run("create schema app; create table app.orders (id integer primary key, name varchar(3), at "
      "timestamp, story text)");
  std::vector<std::unique_ptr<RowBatch>> batches;
  std::vector<const RowBatch*> pointers;
  for (int i = 0; i < 10; ++i) {
    batches.push_back(rows(1 + i * 1000, 1000));
    pointers.push_back(batches.back().get());
  }
  Collected sink;
  auto report = load_tolerantly(pointers, sink);
  WHERRY_EXPECT_OK(report);
  EXPECT_EQ(report->rows, 99U);
  EXPECT_EQ(report->refused_rows, 9901U);
  EXPECT_EQ(value("select count(*) from app.orders"), "99");
  EXPECT_EQ(value("select count(distinct \"STATEMENT\") from public.awsdms_apply_exceptions"),
            "9901");
}

TEST_F(RowErrors, TheSinkCanEndTheLoadAndNothingStays) {
  run("create schema app; create table app.orders (id integer primary key, name varchar(3), at "
      "timestamp, story text)");
  const auto batch = rows(1, 200);
  Collected sink;
  sink.most = 10;
  const auto report = load_tolerantly({batch.get()}, sink);
  ASSERT_FALSE(report.ok());
  EXPECT_EQ(report.error().code, "postgres.value_too_long");
  EXPECT_EQ(value("select count(*) from app.orders"), "0");
  EXPECT_EQ(value("select count(*) from public.awsdms_apply_exceptions"), "0");
}

TEST_F(RowErrors, NullCharactersAreAnErrorWhenAskedFor) {
  run("create schema app; create table app.orders (id integer primary key, name text, at "
      "timestamp, story text)");
  const auto batch = rows(1, 2);
  set_text(batch->row(1)[1], std::string_view("a\0b", 3), batch->arena());
  settings_.options["null_characters"] = "error";
  Collected sink;
  WHERRY_EXPECT_OK(load_tolerantly({batch.get()}, sink));
  EXPECT_THAT(sink.keys(), ElementsAre("id=2 postgres.bad_text"));
  settings_.options["null_characters"] = "space";
  run("truncate app.orders");
  WHERRY_EXPECT_OK(load_tolerantly({batch.get()}, sink));
  EXPECT_EQ(value("select name from app.orders where id = 2"), "a b");
}

TEST_F(RowErrors, TheControlSchemaIsCheckedAndTheGrantIsNamed) {
  run("create role " + database_ + "_guest login password 'x'");
  run("revoke create on schema public from public");  // as it is from version 15 on
  settings_.user = database_ + "_guest";
  settings_.password = Secret("x");
  connect::ControlTables control;
  control.task_name = "night";
  const auto denied = loader()->open_control(context_, control);
  ASSERT_FALSE(denied.ok());
  EXPECT_EQ(denied.error().code, "postgres.control_schema");
  EXPECT_EQ(denied.error().kind, ErrorKind::kPermission);
  EXPECT_THAT(denied.error().to_paragraph(),
              HasSubstr("grant create on schema \"public\" to " + settings_.user));
  EXPECT_THAT(denied.error().to_paragraph(), HasSubstr("ControlSchema"));
  run("create schema own authorization " + settings_.user);
  control.schema = "own";
  control.has_status = control.has_history = control.has_suspended_tables = true;
  auto writer = loader()->open_control(context_, control);
  WHERRY_EXPECT_OK(writer);
  WHERRY_EXPECT_OK((*writer)->set_status(context_, "FULL LOAD"));
  WHERRY_EXPECT_OK((*writer)->set_status(context_, "NOT RUNNING"));
  WHERRY_EXPECT_OK((*writer)->suspend(context_, {"a", "b"}, std::string(100, 'r')));
  WHERRY_EXPECT_OK((*writer)->suspend(context_, {"a", "c"}, "why"));
  WHERRY_EXPECT_OK((*writer)->end_suspension(context_, {"a", "b"}));
  WHERRY_EXPECT_OK((*writer)->add_history(context_, {5, 1000, 3 << 20}));
  EXPECT_EQ(value("select string_agg(task_name || task_status, ',') from own.awsdms_status"),
            "nightNOT RUNNING");
  EXPECT_EQ(value("select string_agg(table_name || suspend_reason, ',') from "
                  "own.awsdms_suspended_tables"),
            "cwhy");
  EXPECT_EQ(value("select timeslot_type || timeslot_duration || timeslot_records || "
                  "timeslot_volume from own.awsdms_history"),
            "FULL LOAD510003");
  WHERRY_EXPECT_OK((*writer)->add_history(context_, {5, 7, 0, true, 12}));
  EXPECT_EQ(value("select timeslot_records || '/' || timeslot_latency from own.awsdms_history "
                  "where timeslot_type = 'CHANGE PROCESSING'"),
            "7/12");
  connect::StatusFigures figures;
  figures.pending_changes = 42;
  figures.disk_swap_bytes = 3 << 20;
  figures.current_position = "0/1A2B";
  figures.applied_time = std::chrono::system_clock::time_point(std::chrono::milliseconds(1500));
  WHERRY_EXPECT_OK((*writer)->set_status(context_, "CHANGE PROCESSING", figures));
  EXPECT_EQ(
      value("select concat_ws('|', task_status, pending_changes, disk_swap_size, task_memory, "
            "source_current_position, source_tail_position, source_timestamp_applied) "
            "from own.awsdms_status"),
      "CHANGE PROCESSING|42|3|0|0/1A2B|1970-01-01 00:00:01.5");
  EXPECT_EQ(
      value("select string_agg(attname, ' ' order by attnum) from pg_attribute where attrelid "
            "= 'own.awsdms_apply_exceptions'::regclass and attnum > 0"),
      "TASK_NAME TABLE_OWNER TABLE_NAME ERROR_TIME STATEMENT ERROR");
  WHERRY_EXPECT_OK(loader()->open_control(context_, control));
}

}  // namespace
}  // namespace wherry::postgres::test
