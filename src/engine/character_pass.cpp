#include "engine/character_pass.h"

#include <string>
#include <string_view>

namespace wherry::engine {
namespace {

void set_bytes(Cell& cell, std::string_view bytes, Arena& arena) {
  cell.payload.ptr = arena.copy(bytes.data(), bytes.size());
  cell.size_bytes = static_cast<std::uint32_t>(bytes.size());
}

void replace_in(Cell& cell, const schema::CharacterRules& rules, std::string& room, Arena& arena) {
  if (cell.state == CellState::kSpilled) {
    cell.state = CellState::kUnreadable;
    set_bytes(cell, "is too long for CharacterSetSettings", arena);
  } else if (cell.state == CellState::kSet && rules.apply(cell.bytes(), room)) {
    set_bytes(cell, room, arena);
  }
}

}  // namespace

void replace_characters(Cell& cell, const schema::CharacterRules& rules, Arena& arena) {
  std::string room;
  replace_in(cell, rules, room, arena);
}

void replace_characters(RowBatch& batch, const schema::TablePlan& plan) {
  std::string room;
  for (std::size_t c = 0; c < plan.columns.size(); ++c) {
    const schema::CharacterRules* rules = plan.columns[c].character_rules.get();
    if (rules == nullptr) continue;
    for (std::size_t r = 0; r < batch.row_count(); ++r) {
      replace_in(batch.row(r)[c], *rules, room, batch.arena());
    }
  }
}

}  // namespace wherry::engine
