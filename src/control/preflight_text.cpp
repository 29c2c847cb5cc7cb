// The forms of a PreflightReport and of GrantScripts.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "control/preflight.h"

namespace wherry::control {
namespace {

using PreflightJson = nlohmann::ordered_json;
using connect::AssessmentFinding;
using connect::Verdict;

constexpr int kJsonIndent = 2;

std::string print(const PreflightJson& json) {
  return json.dump(kJsonIndent, ' ', false, PreflightJson::error_handler_t::replace) + "\n";
}

PreflightJson findings_json(const std::vector<AssessmentFinding>& findings) {
  PreflightJson out = PreflightJson::array();
  for (const AssessmentFinding& each : findings) {
    PreflightJson& finding = out.emplace_back(PreflightJson::object());
    if (!each.object.empty()) finding["object"] = each.object;
    finding["text"] = each.text;
    if (!each.remedy.empty()) finding["remedy"] = each.remedy;
  }
  return out;
}

std::string text_of(const SidedAssessment& each, std::size_t most_findings) {
  const connect::Assessment& assessment = each.assessment;
  std::string out = fmt::format("{:<8} {} ({}); wanted: {}\n", name_of(assessment.verdict),
                                assessment.name, each.side, assessment.text);
  std::size_t shown = 0;
  for (const AssessmentFinding& finding : assessment.findings) {
    if (shown++ == most_findings) {
      out += fmt::format("           … and {} more\n", assessment.findings.size() - most_findings);
      break;
    }
    const std::string object = finding.object.empty() ? "" : finding.object + ": ";
    out += fmt::format("           {}{}\n", object, finding.text);
    if (!finding.remedy.empty()) out += fmt::format("             -> {}\n", finding.remedy);
  }
  return out;
}

void put_script(std::string& out, std::string_view side, const std::vector<std::string>& script) {
  if (!out.empty()) out += "\n";
  out += fmt::format("-- {}: to be run by an administrator\n", side);
  for (const std::string& statement : script) {
    out += statement + (statement.starts_with("--") ? "\n" : ";\n");
  }
}

}  // namespace

std::string to_text(const PreflightReport& report, std::size_t most_findings) {
  std::string out;
  if (!report.source_server.empty()) out += "source: " + report.source_server + "\n";
  if (!report.target_server.empty()) out += "target: " + report.target_server + "\n";
  if (!out.empty()) out += "\n";
  for (const Verdict verdict : {Verdict::kFailed, Verdict::kError, Verdict::kWarning}) {
    for (const SidedAssessment& each : report.assessments) {
      if (each.assessment.verdict == verdict) out += text_of(each, most_findings);
    }
  }
  const std::size_t wrong = report.count(Verdict::kFailed) + report.count(Verdict::kError) +
                            report.count(Verdict::kWarning);
  if (wrong != 0) out += "\n";
  out += fmt::format("{} passed, {} warnings, {} failed, {} not found out, {} skipped\n",
                     report.count(Verdict::kPassed), report.count(Verdict::kWarning),
                     report.count(Verdict::kFailed), report.count(Verdict::kError),
                     report.count(Verdict::kSkipped));
  return out;
}

std::string to_json(const PreflightReport& report) {
  PreflightJson out = {{"status", report.status()}};
  if (!report.source_server.empty()) out["source"] = report.source_server;
  if (!report.target_server.empty()) out["target"] = report.target_server;
  PreflightJson& list = out["assessments"] = PreflightJson::array();
  for (const SidedAssessment& each : report.assessments) {
    list.push_back({{"name", each.assessment.name},
                    {"side", each.side},
                    {"status", name_of(each.assessment.verdict)},
                    {"text", each.assessment.text},
                    {"findings", findings_json(each.assessment.findings)}});
  }
  return print(out);
}

std::string to_text(const GrantScripts& scripts, const PreflightEnds& ends) {
  std::string out;
  if (ends.has_source) put_script(out, "Source", scripts.source);
  if (ends.has_target) put_script(out, "Target", scripts.target);
  return out;
}

std::string to_json(const GrantScripts& scripts, const PreflightEnds& ends) {
  PreflightJson out = PreflightJson::object();
  if (ends.has_source) out["source"] = scripts.source;
  if (ends.has_target) out["target"] = scripts.target;
  return print({{"grants", out}});
}

}  // namespace wherry::control
