#include "connect/support/probe.h"

#include <gtest/gtest.h>

#include <array>

namespace wherry::connect {
namespace {

PreflightRequest about(const TableRef& source, const TableRef& target) {
  auto plan = std::make_shared<schema::TablePlan>();
  plan->source = source;
  plan->target = target;
  PreflightRequest out;
  out.tables.push_back(std::move(plan));
  return out;
}

constexpr Probe probe(ProbeScope scope) {
  return {"a-name", Verdict::kFailed, scope, "a thing is right", "select"};
}

Result<Assessments> run(const Probe& probe, Role role, const std::vector<ProbeRow>& rows,
                        int version = 15) {
  const PreflightRequest request = about({"HR", "A"}, {"hr", "a"});
  return run_probes(std::array{probe}, role, request, version,
                    [&](std::string_view) -> Result<std::vector<ProbeRow>> { return rows; });
}

std::vector<std::string> objects_of(const Result<Assessments>& done) {
  std::vector<std::string> out;
  for (const AssessmentFinding& each : done->at(0).findings) out.push_back(each.object);
  return out;
}

using Names = std::vector<std::string>;
const std::vector<ProbeRow> kRows = {{"HR", "A", "C", "x", "y"},
                                     {"HR", "B", "", "x", "y"},
                                     {"hr", "a", "", "x", "y"},
                                     {"", "", "", "x", "y"},
                                     {"OE", "A", "", "x", "y"}};

TEST(Probe, CountsRowsOfTheTablesOfItsEnd) {
  EXPECT_EQ(objects_of(run(probe(ProbeScope::kTables), kSource, kRows)), Names{"HR.A.C"});
  EXPECT_EQ(objects_of(run(probe(ProbeScope::kTables), kTarget, kRows)), Names{"hr.a"});
  EXPECT_EQ(objects_of(run(probe(ProbeScope::kSchemas), kSource, kRows)),
            (Names{"HR.A.C", "HR.B"}));
  EXPECT_EQ(objects_of(run(probe(ProbeScope::kServer), kSource, kRows)).size(), kRows.size());
}

TEST(Probe, PassesWhereNoRowCounts) {
  const auto done = run(probe(ProbeScope::kTables), kSource, {{"OE", "A", "", "x", "y"}});
  EXPECT_EQ(done->at(0).verdict, Verdict::kPassed);
  EXPECT_EQ(run(probe(ProbeScope::kTables), kSource, kRows)->at(0).verdict, Verdict::kFailed);
}

TEST(Probe, IsSkippedWhereItDoesNotApply) {
  Probe newer = probe(ProbeScope::kServer);
  newer.least_version = 16;
  EXPECT_EQ(run(newer, kSource, kRows)->at(0).verdict, Verdict::kSkipped);
  EXPECT_EQ(run(newer, kSource, kRows, 16)->at(0).verdict, Verdict::kFailed);
  Probe other = probe(ProbeScope::kServer);
  other.applies = [](const PreflightRequest& request) { return request.has_changes; };
  EXPECT_EQ(run(other, kSource, kRows)->at(0).verdict, Verdict::kSkipped);
}

TEST(Probe, TellsWhatTheServerRefused) {
  const PreflightRequest request = about({"HR", "A"}, {"hr", "a"});
  const auto ask = [](Error error) {
    return [error](std::string_view) -> Result<std::vector<ProbeRow>> { return error; };
  };
  Error denied = make_error(ErrorKind::kPermission, "x.denied", "no such view", "grant it");
  denied.native_code = "ORA-00942";
  denied.native_text = "table or view does not exist";
  const auto done =
      run_probes(std::array{probe(ProbeScope::kServer)}, kSource, request, 15, ask(denied));
  ASSERT_TRUE(done.ok());
  EXPECT_EQ(done->at(0).verdict, Verdict::kError);
  EXPECT_EQ(done->at(0).findings.at(0).text,
            "no such view: ORA-00942 table or view does not exist");
  EXPECT_EQ(done->at(0).findings.at(0).remedy, "grant it");
  // A connection that is gone ends all of it.
  EXPECT_FALSE(run_probes(std::array{probe(ProbeScope::kServer)}, kSource, request, 15,
                          ask(make_error(ErrorKind::kTransient, "x.gone", "it is gone")))
                   .ok());
}

}  // namespace
}  // namespace wherry::connect
