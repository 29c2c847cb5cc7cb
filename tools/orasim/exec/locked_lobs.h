// The LOBs of rows that the open transaction has locked, by the values its statements have given
// out of them: a client may write to these through its locators. Ends with the transaction.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <unordered_map>

#include "engine/value.h"
#include "store/store.h"

namespace orasim {

class LockedLobs {
 public:
  /// Gives each LOB of the row that begins at `begin` a copy of its own, so that the value alone
  /// tells the row and the column, and remembers these.
  void keep(const std::shared_ptr<const TableDef>& table, const RowId& id, Row& row,
            std::size_t begin);
  /// Puts what `make` makes of the LOB behind `given` into its row. ORA-22920 when the row is not
  /// locked.
  void change(const Lob& given, const std::function<Lob(const Lob& current)>& make, Store& store,
              Transaction& transaction);
  void clear() { places_.clear(); }

 private:
  struct Place {
    std::weak_ptr<const LobData> given;  ///< another LOB may come to lie where this one was
    std::shared_ptr<const TableDef> table;
    RowId id;
    std::size_t column = 0;
  };

  std::unordered_map<const LobData*, Place> places_;
};

}  // namespace orasim
