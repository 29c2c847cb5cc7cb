// What goes wrong: stop requests, dead servers, wrong passwords.
#include <thread>

#include "tests/conformance/fixture.h"

namespace wherry::conformance {

namespace {
constexpr std::chrono::seconds kDeadline{30};
}  // namespace

TEST_P(Failure, StopsWithinASecondWhileAReadHangs) {
  const SourceTable table = simple_table("BLOCKED", 10);
  fixture_->create(table);
  const auto plan = plan_of(table.definition);
  const auto source = snapshot();
  ASSERT_TRUE(source);
  fixture_->block_reads(table.definition.table);
  std::stop_source stop;
  context_.stop = stop.get_token();
  std::optional<Result<std::vector<Row>>> result;
  std::thread reader([&] { result = read(*source, plan); });
  const bool is_blocked = fixture_->wait_until_blocked(kDeadline);
  EXPECT_TRUE(is_blocked);
  const auto asked = std::chrono::steady_clock::now();
  stop.request_stop();
  reader.join();
  EXPECT_LT(std::chrono::steady_clock::now() - asked, std::chrono::seconds(1));
  fixture_->unblock();
  ASSERT_FALSE(result->ok());
  EXPECT_EQ(result->error().kind, ErrorKind::kCancelled);
}

TEST_P(Failure, AStopBeforeTheCallEndsItToo) {
  const SourceTable table = simple_table("STOPPED", 10);
  fixture_->create(table);
  const auto plan = plan_of(table.definition);
  const auto source = snapshot();
  ASSERT_TRUE(source);
  std::stop_source stop;
  stop.request_stop();
  context_.stop = stop.get_token();
  const auto rows = read(*source, plan);
  ASSERT_FALSE(rows.ok());
  EXPECT_EQ(rows.error().kind, ErrorKind::kCancelled);
}

TEST_P(Failure, ADeadServerIsTransientAndComesBack) {
  const SourceTable table = simple_table("REVIVED", 10);
  fixture_->create(table);
  const auto plan = plan_of(table.definition);
  fixture_->shut_down();
  const auto probe = fixture_->connector().probe(context_, fixture_->settings(), connect::kSource);
  ASSERT_FALSE(probe.ok());
  EXPECT_EQ(probe.error().kind, ErrorKind::kTransient);
  EXPECT_FALSE(probe.error().hint.empty());
  fixture_->start_up();
  const auto rows = read(*snapshot(), plan);
  WHERRY_ASSERT_OK(rows);
  EXPECT_EQ(rows->size(), 10U);
}

TEST_P(Failure, AServerThatDiesDuringAReadIsTransient) {
  const SourceTable table = simple_table("KILLED", 3000);
  fixture_->create(table);
  const auto plan = plan_of(table.definition);
  const auto source = snapshot();
  ASSERT_TRUE(source);
  fixture_->shut_down();
  const auto rows = read(*source, plan);
  ASSERT_FALSE(rows.ok());
  EXPECT_EQ(rows.error().kind, ErrorKind::kTransient) << rows.error().to_paragraph();
  fixture_->start_up();
}

TEST_P(Failure, AServerThatDiesDuringALoadIsTransientAndKeepsNothing) {
  if (!fixture_->is_target()) GTEST_SKIP() << "declares no target role";
  const SourceTable table = simple_table("LOST", 50);
  const auto plan = plan_of(table.definition);
  {
    auto loader = fixture_->connector().open_loader(context_, fixture_->settings());
    WHERRY_ASSERT_OK(loader);
    auto session = begin_load(**loader, plan, table.rows);
    WHERRY_ASSERT_OK(session);
    fixture_->shut_down();
    const auto report = (*session)->finish(context_);
    ASSERT_FALSE(report.ok());
    EXPECT_EQ(report.error().kind, ErrorKind::kTransient) << report.error().to_paragraph();
  }
  fixture_->start_up();
  const auto rows = read(*snapshot(), plan);
  WHERRY_ASSERT_OK(rows);
  EXPECT_TRUE(rows->empty());
}

TEST_P(Failure, AWrongPasswordIsAnAuthErrorWithoutThePassword) {
  const connect::Settings wrong = fixture_->wrong_password();
  const auto probe = fixture_->connector().probe(context_, wrong, connect::kSource);
  ASSERT_FALSE(probe.ok());
  EXPECT_EQ(probe.error().kind, ErrorKind::kAuth);
  EXPECT_FALSE(probe.error().hint.empty());
  EXPECT_EQ(probe.error().to_paragraph().find(wrong.password.reveal()), std::string::npos);
}

TEST_P(Failure, AProbeTellsTheVersion) {
  const auto probe = fixture_->connector().probe(context_, fixture_->settings(), connect::kSource);
  WHERRY_ASSERT_OK(probe);
  EXPECT_FALSE(probe->server_version.empty());
}

}  // namespace wherry::conformance
