#include "exec/locked_lobs.h"

#include <utility>

#include "engine/error.h"

namespace orasim {
namespace {

[[noreturn]] void not_locked() {
  throw OraError(22920, "row containing the LOB value is not locked");
}

}  // namespace

void LockedLobs::keep(const std::shared_ptr<const TableDef>& table, const RowId& id, Row& row,
                      std::size_t begin) {
  for (std::size_t i = 0; i < table->columns.size(); ++i) {
    const auto* lob = std::get_if<Lob>(&row[begin + i].data);
    if (lob == nullptr) continue;
    Lob own = std::make_shared<const LobData>(**lob);
    places_.insert_or_assign(own.get(), Place{own, table, id, i});
    row[begin + i].data = std::move(own);
  }
}

void LockedLobs::change(const Lob& given, const std::function<Lob(const Lob&)>& make, Store& store,
                        Transaction& transaction) {
  const auto found = places_.find(given.get());
  if (found == places_.end() || found->second.given.lock() != given) not_locked();
  Place place = found->second;
  Row row;
  const Scn now = store.current_scn();
  if (!store.fetch(*place.table, place.id, now, &transaction, row)) not_locked();
  const auto* current = std::get_if<Lob>(&row[place.column].data);
  if (current == nullptr) not_locked();
  Lob changed = make(*current);
  row[place.column].data = changed;
  if (!transaction.write_lob(*place.table, place.id, row, now)) not_locked();
  transaction.end_statement();
  place.given = changed;
  places_.insert_or_assign(changed.get(), std::move(place));
}

}  // namespace orasim
