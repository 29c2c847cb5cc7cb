// Supplemental logging: which columns the redo of a row change holds beside those that changed.
//
// Without it (not even the minimal level) the simulator keeps no redo of rows: what LogMiner makes
// of such redo is not usable, and nobody pays for what is not asked for.
// Facts: Oracle Database Utilities, "Supplemental Logging"; LOB, LONG, XML, object and extended
// columns are never logged supplementally.
#pragma once

#include <vector>

#include "store/slot_set.h"
#include "store/store.h"

namespace orasim {

/// Made once a table definition and setting; the sets are of stored slots.
class LoggingPlan {
 public:
  LoggingPlan(const TableDef&, const SupplementalLogging&);
  /// Slots that an UPDATE of `changed` columns says the old values of.
  [[nodiscard]] SlotSet logged(const SlotSet& changed) const;
  [[nodiscard]] const SlotSet& stored() const { return stored_; }  ///< an INSERT's
  [[nodiscard]] const SlotSet& plain() const { return plain_; }    ///< a DELETE's

 private:
  void add_group(const TableDef&, const std::vector<std::string>& columns, bool always);
  void add_key_groups(const TableDef&, ConstraintKind);
  void add_identification(const TableDef&);
  [[nodiscard]] SlotSet slots_of(const TableDef&, const std::vector<std::string>& columns) const;

  SlotSet stored_, plain_, always_;
  std::vector<SlotSet> conditional_;
};

}  // namespace orasim
