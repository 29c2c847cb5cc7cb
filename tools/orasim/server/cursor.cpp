#include "server/cursor.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <utility>

#include "engine/error.h"

namespace orasim::server {

bool ScrolledRows::read_one() {
  Row row;
  if (!source_ || !source_->next(row)) {
    source_.reset();
    return false;
  }
  rows_.push_back(std::move(row));
  return true;
}

bool ScrolledRows::next(Row& row) {
  if (at_ >= rows_.size() && !read_one()) return false;
  row = rows_[at_++];
  return true;
}

std::uint64_t ScrolledRows::seek(std::uint64_t position) {
  while ((position == 0 || rows_.size() < position) && read_one()) {
  }
  const std::uint64_t before =
      position == 0 ? rows_.size() - std::min<std::size_t>(rows_.size(), 1) : position - 1;
  at_ = static_cast<std::size_t>(std::min<std::uint64_t>(before, rows_.size()));
  return at_;
}

bool Cursor::returns_values() const {
  return !shape.is_plsql &&
         std::find(shape.returning.begin(), shape.returning.end(), true) != shape.returning.end();
}

bool Cursor::has_lobs() const {
  return std::any_of(columns.begin(), columns.end(),
                     [](const wire::ColumnShape& c) { return wire::is_lob(c.type); });
}

void Cursor::make_encoder(const wire::Dialect& dialect) {
  std::vector<wire::RowColumn> forms;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    wire::RowColumn form = wire::row_column(columns[i], i < defines.size() ? &defines[i] : nullptr);
    if (dialect.local_zones && form.codec == wire::Codec::kTimestampTz) {
      form.codec = wire::Codec::kTimestampTzLocal;
    }
    forms.push_back(std::move(form));
  }
  encoder = std::make_unique<wire::RowEncoder>(std::move(forms), compress, dialect);
}

Cursor& CursorTable::open() {
  if (cursors_.size() >= kMaxOpen) throw OraError(1000, "maximum open cursors exceeded");
  // Ids are ub2 in the status message.
  do {
    last_id_ = last_id_ % 65535 + 1;
  } while (cursors_.contains(last_id_));
  Cursor& cursor = cursors_[last_id_];
  cursor.id = last_id_;
  return cursor;
}

void CursorTable::close(std::uint32_t id) {
  const auto found = cursors_.find(id);
  if (found == cursors_.end()) return;
  close_children(found->second);
  cursors_.erase(id);
}

void CursorTable::close_children(Cursor& cursor) {
  const std::vector<std::uint32_t> children = std::move(cursor.children);
  cursor.children.clear();
  for (const std::uint32_t child : children) close(child);
}

Cursor& CursorTable::get(std::uint32_t id) {
  const auto found = cursors_.find(id);
  if (found == cursors_.end()) throw OraError(1001, "invalid cursor");
  return found->second;
}

const wire::CursorShape* CursorTable::shape_of(std::uint32_t id) const {
  const auto found = cursors_.find(id);
  return found == cursors_.end() ? nullptr : &found->second.shape;
}

namespace {

struct Command {
  std::string_view word;
  std::uint8_t number;
};
constexpr std::array kCommands{
    Command{"SELECT", 3},   Command{"WITH", 3},       Command{"INSERT", 2},
    Command{"UPDATE", 6},   Command{"DELETE", 7},     Command{"MERGE", 189},
    Command{"BEGIN", 47},   Command{"DECLARE", 47},   Command{"CALL", 170},
    Command{"CREATE", 1},   Command{"DROP", 12},      Command{"ALTER", 15},
    Command{"COMMIT", 44},  Command{"ROLLBACK", 45},  Command{"TRUNCATE", 85},
    Command{"COMMENT", 29}, Command{"GRANT", 17},     Command{"REVOKE", 18},
    Command{"LOCK", 26},    Command{"SAVEPOINT", 46}, Command{"SET", 48}};

}  // namespace

std::uint8_t sql_command(std::string_view sql) {
  const auto from =
      std::find_if(sql.begin(), sql.end(), [](unsigned char c) { return std::isalpha(c) != 0; });
  std::string word;
  for (auto c = from; c != sql.end() && std::isalpha(static_cast<unsigned char>(*c)) != 0; ++c) {
    word.push_back(static_cast<char>(std::toupper(static_cast<unsigned char>(*c))));
  }
  const auto found = std::find_if(kCommands.begin(), kCommands.end(),
                                  [&](const Command& c) { return c.word == word; });
  return found == kCommands.end() ? 0 : found->number;
}

}  // namespace orasim::server
