#include "schema/plan_warning.h"

namespace wherry::schema {

std::string_view name_of(WarningRank rank) {
  switch (rank) {
    case WarningRank::kLoss:
      return "loss";
    case WarningRank::kRisk:
      return "risk";
    case WarningRank::kNote:
      return "note";
  }
  return {};
}

}  // namespace wherry::schema
