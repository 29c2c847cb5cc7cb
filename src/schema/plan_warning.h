// What somebody should know of a plan before it is carried out. Codes are stable; what each means:
// docs/reference/plan.md.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace wherry::schema {

/// The worst first.
enum class WarningRank : std::uint8_t {
  kLoss,  ///< something of the source will not be on the target
  kRisk,  ///< it may go otherwise than was meant, or slower
  kNote,  ///< what is done, and why
};
/// "loss", "risk", "note".
std::string_view name_of(WarningRank rank);

struct PlanWarning {
  std::string code;  ///< "plan.no_key"
  WarningRank rank = WarningRank::kRisk;
  std::string text;
  friend bool operator==(const PlanWarning&, const PlanWarning&) = default;
};
using PlanWarnings = std::vector<PlanWarning>;

}  // namespace wherry::schema
