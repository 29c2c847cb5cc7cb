#include <atomic>
#include <filesystem>
#include <set>
#include <string>
#include <thread>

#include "control/apply_hold.h"
#include "control/change_test_support.h"
#include "control/compared_moment.h"
#include "control/reload_request.h"

namespace wherry::control {
namespace {

class FoundDifferences final : public engine::DifferenceSink {
 public:
  void on_difference(const engine::Difference& difference) override {
    found.insert(std::string(engine::name_of(difference.kind)) + " " + difference.table.name + " " +
                 difference.key + (difference.column.empty() ? "" : " " + difference.column));
  }
  std::set<std::string> found;
};

using Found = std::set<std::string>;

class ComparedMomentTest : public ChangeTaskTest {
 protected:
  Result<ValidationOutcome> validate() {
    differences_.found.clear();
    OpContext context;
    ValidationRequest wanted;
    wanted.patience = patience_;
    return validate_task(context, request_, wanted, differences_, observer_);
  }
  /// The differences of a comparison that must succeed.
  Found compare() {
    const auto outcome = validate();
    EXPECT_TRUE(outcome.ok()) << outcome.error().to_paragraph();
    if (!outcome.ok()) return {"failed"};
    left_out_.clear();
    for (const auto& table : outcome->refused) {
      left_out_.insert(table.table.name + " " + table.error.code);
    }
    EXPECT_EQ(outcome->differences, differences_.found.size());
    return differences_.found;
  }
  void plant(const std::function<Result<void>(memory::Transaction&)>& work) {
    ASSERT_TRUE(target_.transact(work).ok());
  }

  std::chrono::seconds patience_{30};
  FoundDifferences differences_;
  WatchedPhases observer_;
  Found left_out_;
};

/// Changes the source without a pause, but for a target that is far behind: who takes the source's
/// lock again at once may keep all others from it.
class BusySource {
 public:
  BusySource(const std::function<void()>& change, const memory::Database& source,
             const RunningTask& task)
      : thread_([this, change, &source, &task](const std::stop_token& stop) {
          constexpr connect::CommitOrder kMostAhead = 10;
          while (!stop.stop_requested()) {
            const auto progress = task.phases.progress();
            if (progress != nullptr &&
                source.version() < progress->apply.applied_order() + kMostAhead) {
              change();
              ++changes;
            }
            std::this_thread::yield();
          }
        }) {}
  std::atomic<int> changes{0};

 private:
  std::jthread thread_;
};

TEST_F(ComparedMomentTest, WhatIsOnItsWayIsNoDifference) {
  for (const std::uint32_t lanes : {1U, 4U}) {
    request_.settings.changes.apply.lanes = lanes;
    RunningTask task(request_);
    ASSERT_TRUE(task.phases.wait_for(kOngoing));
    {
      BusySource busy([this] { change(1); }, source_, task);
      for (int i = 0; i < 8; ++i) {
        const int before = busy.changes;
        EXPECT_EQ(compare(), Found());
        EXPECT_EQ(left_out_, Found());
        while (busy.changes == before) std::this_thread::yield();
      }
    }
    EXPECT_TRUE(becomes_equal());
    const auto& outcome = task.stop();
    ASSERT_TRUE(outcome.ok()) << outcome.error().to_paragraph();
  }
}

TEST_F(ComparedMomentTest, WhatIsWrongIsFoundWhileTheTaskRuns) {
  RunningTask task(request_);
  ASSERT_TRUE(task.phases.wait_for(kOngoing));
  change(3);
  ASSERT_TRUE(becomes_equal());
  plant([](memory::Transaction& work) -> Result<void> {
    WHERRY_TRY(work.remove({"S", "A"}, {Value::integer(4)}));  // it is changed again and again
    WHERRY_TRY(work.remove({"S", "A"}, {Value::integer(15)}));
    WHERRY_TRY(work.insert({"S", "B"}, row_of(-7, "nobody's")));
    return work.update({"S", "C"}, {Value::integer(16)}, row_of(16, "other"));
  });
  BusySource busy([this] { change(1); }, source_, task);
  while (busy.changes < 30) std::this_thread::yield();
  const Found expected = {"MISSING_TARGET A ID=4", "MISSING_TARGET A ID=15",
                          "MISSING_SOURCE B ID=-7", "RECORD_DIFF C ID=16 NAME"};
  for (int i = 0; i < 3; ++i) EXPECT_EQ(compare(), expected);
}

TEST_F(ComparedMomentTest, AStoppedTaskIsComparedAsFarAsItIsWhereTheSourceIs) {
  ASSERT_TRUE(run_until(Kind::kCaughtUp).ok());
  change(5);
  ASSERT_TRUE(run_until(Kind::kCaughtUp).ok());
  EXPECT_EQ(compare(), Found());
  EXPECT_EQ(left_out_, Found());
  ASSERT_TRUE(source_
                  .transact([](memory::Transaction& work) {
                    return work.insert({"S", "B"}, row_of(999, "later"));
                  })
                  .ok());
  plant([](memory::Transaction& work) { return work.remove({"S", "A"}, {Value::integer(15)}); });
  EXPECT_EQ(compare(), Found({"MISSING_TARGET A ID=15"}));
  EXPECT_EQ(left_out_, Found({"B validate.behind"}));
  // The comparison has used nothing up.
  ASSERT_TRUE(run_until(Kind::kCaughtUp).ok());
  EXPECT_EQ(compare(), Found({"MISSING_TARGET A ID=15"}));
  EXPECT_EQ(left_out_, Found());
}

TEST_F(ComparedMomentTest, TablesWhoseChangesAreNotAppliedAreLeftOut) {
  request_.settings.changes.apply.lanes = 3;
  {
    RunningTask task(request_);
    ASSERT_TRUE(task.phases.wait_for(kOngoing));
    change(20);
    ASSERT_TRUE(task.stop().ok());
  }
  change(10);
  EXPECT_EQ(compare(), Found());
  EXPECT_EQ(left_out_, Found({"A validate.behind", "B validate.behind", "C validate.behind"}));
}

TEST_F(ComparedMomentTest, BeforeTheTargetIsConsistentItSaysWhatIsMissing) {
  ASSERT_TRUE(run_until(Kind::kFullLoadDone).ok());
  const auto stopped = validate();
  ASSERT_FALSE(stopped.ok());
  EXPECT_EQ(stopped.error().code, "validate.cached_changes");
  request_.start = StartType::kReloadTarget;
  request_.stop_when = {};
  source_.faults().add({Point::kRead, "B", 0, 1, std::nullopt});
  RunningTask task(request_);
  ASSERT_TRUE(source_.faults().wait_held(1, kChangeDeadline));
  patience_ = std::chrono::seconds(1);
  const auto outcome = validate();
  ASSERT_FALSE(outcome.ok());
  EXPECT_EQ(outcome.error().code, "validate.not_in_time");
  EXPECT_NE(outcome.error().message.find("still loading tables"), std::string::npos);
  (void)task.stop().ok();
  const auto unfinished = validate();
  ASSERT_FALSE(unfinished.ok());
  EXPECT_EQ(unfinished.error().code, "validate.load_unfinished");
}

TEST_F(ComparedMomentTest, ATableThatIsLoadedAgainIsLeftOutUntilItHasJoined) {
  RunningTask task(request_);
  ASSERT_TRUE(task.phases.wait_for(kOngoing));
  change(5);
  ASSERT_TRUE(becomes_equal());
  spoil("B");
  source_.faults().add({Point::kRead, "B", 0, 1, std::nullopt});
  ASSERT_TRUE(request_reload(request_.state_directory, {"S.B"}).ok());
  ASSERT_TRUE(source_.faults().wait_held(1, kChangeDeadline));
  BusySource busy([this] { change(1); }, source_, task);
  EXPECT_EQ(compare(), Found());
  EXPECT_EQ(left_out_, Found({"B validate.reloading"}));
  source_.faults().release();
  const auto deadline = std::chrono::steady_clock::now() + kChangeDeadline;
  do {
    EXPECT_EQ(compare(), Found());
  } while (!left_out_.empty() && std::chrono::steady_clock::now() < deadline);
  EXPECT_EQ(left_out_, Found());
}

TEST_F(ComparedMomentTest, ATableThatIsLoadedAgainMeanwhileIsNotJudged) {
  RunningTask task(request_);
  ASSERT_TRUE(task.phases.wait_for(kOngoing));
  change(5);
  ASSERT_TRUE(becomes_equal());
  spoil("C");
  target_.faults().add({Point::kRead, "B", 0, 1, std::nullopt});
  std::thread comparing([&] { (void)compare(); });
  ASSERT_TRUE(target_.faults().wait_held(1, kChangeDeadline));
  ASSERT_TRUE(request_reload(request_.state_directory, {"S.C"}).ok());
  EXPECT_TRUE(becomes_equal());
  target_.faults().release();
  comparing.join();
  const auto progress = observer_.validation();
  ASSERT_NE(progress, nullptr);
  for (const engine::TableValidation& table : progress->tables()) {
    const bool was_loaded = table.plan->source.name == "C";
    EXPECT_EQ(table.error ? table.error->code : "", was_loaded ? "validate.reloaded" : "");
  }
}

TEST_F(ComparedMomentTest, ATaskThatIsStoppedMeanwhileIsComparedAsItIsThen) {
  std::optional<RunningTask> task(std::in_place, request_);
  ASSERT_TRUE(task->phases.wait_for(kOngoing));
  change(5);
  ASSERT_TRUE(becomes_equal());
  // The source is slow in giving a view, and the task ends before that.
  source_.faults().add({Point::kPrepareStream, "", 0, 1, std::nullopt});
  Found found;
  std::thread comparing([&] { found = compare(); });
  ASSERT_TRUE(source_.faults().wait_held(1, kChangeDeadline));
  ASSERT_TRUE(task->stop().ok());
  task.reset();
  source_.faults().release();
  comparing.join();
  EXPECT_EQ(found, Found());
  EXPECT_EQ(left_out_, Found());
}

TEST_F(ComparedMomentTest, ARequesterThatIsGoneHoldsNothing) {
  RunningTask task(request_);
  ASSERT_TRUE(task.phases.wait_for(kOngoing));
  {
    const auto client = HoldClient::ask(request_.state_directory);
    ASSERT_TRUE(client.ok());
    const auto deadline = std::chrono::steady_clock::now() + kChangeDeadline;
    while (!(*client)->answer() && std::chrono::steady_clock::now() < deadline) {
      std::this_thread::yield();
    }
    ASSERT_EQ((*client)->answer(), HoldState::kPaused);
    const auto other = HoldClient::ask(request_.state_directory);
    ASSERT_FALSE(other.ok());
    EXPECT_EQ(other.error().code, "validate.busy");
    change(5);
    EXPECT_FALSE(is_equal());
    // Changes up to here, and nothing after.
    const std::uint64_t until = source_.version();
    change(5);
    ASSERT_TRUE((*client)->apply_up_to(until).ok());
    while ((*client)->answer() != HoldState::kHeld && std::chrono::steady_clock::now() < deadline) {
      std::this_thread::yield();
    }
    EXPECT_EQ((*client)->answer(), HoldState::kHeld);
    const auto at = source_.as_of(until);
    for (const char* name : kTables) {
      std::vector<Row> there = at->at({"S", name})->rows;
      std::sort(there.begin(), there.end(),
                [](const Row& a, const Row& b) { return a[0].i64 < b[0].i64; });
      EXPECT_EQ(rows(target_, name), there);
    }
  }
  EXPECT_TRUE(becomes_equal());
}

TEST_F(ComparedMomentTest, AnAnswerOfAnEarlierProcessIsTakenBack) {
  std::filesystem::create_directories(request_.state_directory);
  const auto client = HoldClient::ask(request_.state_directory);
  ASSERT_TRUE(client.ok());
  HoldServer first(request_.state_directory);
  ASSERT_TRUE(first.is_wanted());
  ASSERT_TRUE(first.take());
  ASSERT_TRUE((*client)->apply_up_to(7).ok());
  EXPECT_EQ(first.order(), 7U);
  ASSERT_TRUE(first.answer(HoldState::kHeld).ok());
  EXPECT_EQ((*client)->answer(), HoldState::kHeld);
  HoldServer second(request_.state_directory);
  ASSERT_TRUE(second.end().ok());
  EXPECT_EQ((*client)->answer(), std::nullopt);
  // The request is for what the first one had not applied yet.
  EXPECT_FALSE(second.take());
  EXPECT_FALSE(second.is_wanted());
}

}  // namespace
}  // namespace wherry::control
