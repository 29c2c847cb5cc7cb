#include "connect/oracle/logminer/transaction_builder.h"

#include <algorithm>

#include "connect/oracle/logminer/letters.h"

namespace wherry::oracle {
namespace {

constexpr std::string_view kChangeNotTold = "LogMiner does not tell a change of it";
constexpr std::string_view kNotUnderstood = "a row of the log is not understood";
/// A change takes about so many times the bytes of its text.
constexpr std::size_t kMemoryOfText = 3;
constexpr std::size_t kKeptChanges = 64;
constexpr std::size_t kKeptBytes = 1024 * 1024;
constexpr std::size_t kChunkBytes = 512 * 1024;
/// How LogMiner begins a long string.
constexpr std::string_view kEmptyString = "LM_EMPTY_STRING";

RedoImage owned(const std::vector<RedoField>& fields) {
  RedoImage out;
  out.reserve(fields.size());
  for (const RedoField& field : fields) {
    out.push_back({std::string(field.column), OwnedRedoValue(field.value)});
  }
  return out;
}

bool is_same(const OwnedRedoValue& a, const RedoValue& b) {
  const auto is_text = [](RedoForm form) {
    return form == RedoForm::kText || form == RedoForm::kNational;
  };
  return (a.form == b.form || (is_text(a.form) && is_text(b.form))) && a.text == b.text;
}

/// What a row was after the change, as far as it is known.
const OwnedRedoValue* value_after(const RedoChange& change, std::string_view column) {
  const OwnedRedoValue* const now = find_value(change.after, column);
  return now != nullptr ? now : find_value(change.before, column);
}

/// Nothing that is known of the row says otherwise.
bool may_be_row(const RedoChange& change, const std::vector<RedoField>& key) {
  if (change.kind == RedoKind::kDelete) return false;
  bool is_alike = key.empty();
  for (const RedoField& field : key) {
    const OwnedRedoValue* const known = value_after(change, field.column);
    if (known == nullptr) continue;
    if (!is_same(*known, field.value)) return false;
    is_alike = true;
  }
  return is_alike;
}

bool is_empty_lob(const OwnedRedoValue* value) {
  return value != nullptr && value->form == RedoForm::kCall &&
         (value->function == "EMPTY_CLOB" || value->function == "EMPTY_BLOB");
}

std::string bytes_of_hex(std::string_view digits) {
  std::string out;
  for (std::size_t i = 0; i + 1 < digits.size(); i += 2) {
    out += static_cast<char>(hex_digit(digits[i]) * 16 + hex_digit(digits[i + 1]));
  }
  return out;
}

OwnedRedoValue text_value(std::string text) {
  OwnedRedoValue out;
  out.form = RedoForm::kText;
  out.text = std::move(text);
  return out;
}

OwnedRedoValue hex_value(std::string_view bytes) {
  constexpr char kDigits[] = "0123456789abcdef";
  OwnedRedoValue out;
  out.form = RedoForm::kCall;
  out.function = "HEXTORAW";
  out.argument_count = 1;
  for (const char c : bytes) {
    out.text += kDigits[static_cast<unsigned char>(c) >> 4];
    out.text += kDigits[static_cast<unsigned char>(c) & 15];
  }
  return out;
}

/// The content that a value has; nullopt: it is not told.
std::optional<LobContent> content_of(const OwnedRedoValue* value, LobContent::Unit unit) {
  if (value == nullptr) return std::nullopt;
  if (is_empty_lob(value)) return LobContent(unit, "");
  if (value->form == RedoForm::kText || value->form == RedoForm::kNational) {
    return LobContent(unit, value->text);
  }
  if (value->form == RedoForm::kCall && value->function == "HEXTORAW") {
    return LobContent(unit, bytes_of_hex(value->text));
  }
  return std::nullopt;
}

/// What an undo row takes back.
std::optional<RedoKind> undone_kind(int operation_code) {
  switch (operation_code) {
    case 1:
      return RedoKind::kDelete;
    case 2:
      return RedoKind::kInsert;
    case 3:
      return RedoKind::kUpdate;
    default:
      return std::nullopt;
  }
}

void put_lob(const std::string& column, const LobContent& content, RedoChange& change) {
  if (content.is_known()) {
    const bool is_bytes = content.unit() == LobContent::Unit::kByte;
    set_value(change.after, column,
              is_bytes ? hex_value(content.content()) : text_value(content.content()));
    return;
  }
  std::erase_if(change.after, [&](const OwnedRedoField& field) { return field.column == column; });
  change.unknown.push_back(column);
}

void report(const MinedRow& row, std::string_view reason, std::vector<RedoTableProblem>& problems) {
  problems.push_back({std::string(row.owner), std::string(row.table), reason, false});
}

}  // namespace

Result<void> TransactionBuilder::add(const MinedRow& row, RedoReaders& readers,
                                     std::vector<RedoTableProblem>& problems) {
  if (row.is_undo) return undo(row);
  const RedoRowClass known = classify_redo(row.operation_code, row.sql_redo, row.info);
  switch (known.kind) {
    case RedoRowKind::kStatement:
      locator_.reset();
      add_statement(row, readers, problems);
      break;
    case RedoRowKind::kUnsupported:
      add_hidden(row, problems);
      break;
    case RedoRowKind::kError:
      report(row, kNotUnderstood, problems);
      break;
    case RedoRowKind::kSkip:
      // Between two statements on LOBs; the second is a locator's row without a text.
      if (row.operation_code == 0 || row.operation_code == 9) is_new_lob_statement_ = true;
      break;
    default:
      add_piece(row, known.kind, readers, problems);
  }
  if (!changes_.empty()) {
    const std::size_t bytes = row.sql_redo.size() * kMemoryOfText;
    changes_.back().used_bytes += bytes;
    used_bytes_ += bytes;
  }
  return {};
}

TransactionBuilder::Pending& TransactionBuilder::add_change(const MinedRow& row) {
  Pending& out = changes_.emplace_back();
  out.change.owner = row.owner;
  out.change.table = row.table;
  out.change.row_id = row.row_id;
  out.used_bytes = sizeof(Pending);
  used_bytes_ += out.used_bytes;
  if (is_placeholder(row.row_id)) ++placeholders_;
  return out;
}

void TransactionBuilder::set_row_id(Pending& pending, std::string_view row_id) {
  if (is_placeholder(pending.change.row_id) && !is_placeholder(row_id)) --placeholders_;
  pending.change.row_id = row_id;
}

void TransactionBuilder::add_hidden(const MinedRow& row, std::vector<RedoTableProblem>& problems) {
  locator_.reset();
  report(row, kChangeNotTold, problems);
  if (is_placeholder(row.row_id)) return;
  problems.back().has_hidden_change = true;
  add_change(row).change.is_hidden = true;
}

std::optional<std::size_t> TransactionBuilder::newest(const MinedRow& row,
                                                      const std::vector<RedoField>* key,
                                                      bool only_placeholders) const {
  if (only_placeholders && placeholders_ == 0) return std::nullopt;
  for (std::size_t i = changes_.size(); i-- > 0;) {
    const RedoChange& change = changes_[i].change;
    if (changes_[i].is_undone || change.owner != row.owner || change.table != row.table) continue;
    if (only_placeholders) {
      if (!is_placeholder(change.row_id)) continue;
    } else if (change.row_id != row.row_id) {
      continue;
    }
    if (key == nullptr || may_be_row(change, *key)) return i;
  }
  return std::nullopt;
}

void TransactionBuilder::add_statement(const MinedRow& row, RedoReaders& readers,
                                       std::vector<RedoTableProblem>& problems) {
  const RedoStatement& statement = readers.statement;
  if (!readers.parser.parse(row.sql_redo, readers.statement)) {
    return report(row, kNotUnderstood, problems);
  }
  if (statement.kind == RedoKind::kUpdate && !is_placeholder(row.row_id) &&
      completes_insert(row, statement)) {
    return;
  }
  Pending& added = add_change(row);
  added.change.kind = statement.kind;
  added.change.after = owned(statement.after);
  added.change.before = owned(statement.before);
}

/// An INSERT without a ROWID is followed by an UPDATE with one, which has the LOBs that are small,
/// and NULL for those that are none.
bool TransactionBuilder::completes_insert(const MinedRow& row, const RedoStatement& update) {
  const auto found = newest(row, &update.before, true);
  if (!found) return false;
  Pending& pending = changes_[*found];
  if (pending.change.kind != RedoKind::kInsert) return false;
  for (const RedoField& field : update.after) {
    if (!is_empty_lob(find_value(pending.change.after, field.column)) ||
        pending.lobs.contains(field.column)) {
      return false;
    }
  }
  for (const RedoField& field : update.after) {
    set_value(pending.change.after, field.column, OwnedRedoValue(field.value));
  }
  set_row_id(pending, row.row_id);
  return true;
}

Result<void> TransactionBuilder::undo(const MinedRow& row) {
  constexpr int kUnsupported = 255;
  const auto kind = undone_kind(row.operation_code);
  if (!kind && row.operation_code != kUnsupported) return {};
  locator_.reset();
  if (!is_placeholder(row.row_id)) {
    if (const auto found = newest(row, nullptr, false)) {
      take_back(*found);
      return {};
    }
  }
  // Undo goes from the newest to the oldest, so only the newest change of the table can be meant.
  const auto last = std::find_if(changes_.rbegin(), changes_.rend(), [&](const Pending& one) {
    return !one.is_undone && one.change.owner == row.owner && one.change.table == row.table;
  });
  if (last == changes_.rend()) return undo_spilled(row, kind);
  if (is_placeholder(last->change.row_id) && last->change.kind == kind) {
    take_back(static_cast<std::size_t>(changes_.rend() - last) - 1);
    return {};
  }
  return is_placeholder(row.row_id) ? Result<void>() : undo_spilled(row, kind);
}

/// The same in what was moved out of memory, from the newest on.
Result<void> TransactionBuilder::undo_spilled(const MinedRow& row, std::optional<RedoKind> undone) {
  bool is_newest_of_table = true;
  for (std::size_t at = spilled_.size(); at-- > 0;) {
    SpilledChanges& spilled = spilled_[at];
    if (spilled.left == 0) continue;
    if (loaded_index_ != at) {
      WHERRY_ASSIGN(loaded_, load_all(spilled));
      loaded_index_ = at;
    }
    for (std::size_t i = loaded_.size(); i-- > 0;) {
      const RedoChange& change = loaded_[i];
      if (spilled.is_undone[i] || change.owner != row.owner || change.table != row.table) continue;
      const bool is_row = change.row_id == row.row_id && !is_placeholder(row.row_id);
      const bool is_meant =
          is_row || (is_newest_of_table && is_placeholder(change.row_id) && change.kind == undone);
      is_newest_of_table = false;
      if (!is_meant) continue;
      spilled.is_undone[i] = true;
      --spilled.left;
      return {};
    }
  }
  return {};
}

void TransactionBuilder::take_back(std::size_t index) {
  Pending& pending = changes_[index];
  if (pending.lob_statements == 1) {
    pending.is_undone = true;
    if (is_placeholder(pending.change.row_id)) --placeholders_;
    drop_undone_end();
    return;
  }
  // One of several statements that wrote to the same LOB: what it was before cannot be told.
  --pending.lob_statements;
  for (auto& [column, content] : pending.lobs) content = LobContent(content.unit());
}

/// A rollback takes back one change after the other, and must not look at all of them each time.
void TransactionBuilder::drop_undone_end() {
  if (value_) return;
  while (!changes_.empty() && changes_.back().is_undone) {
    used_bytes_ -= changes_.back().used_bytes;
    changes_.pop_back();
  }
}

void TransactionBuilder::drop_front(std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    const Pending& pending = changes_[i];
    used_bytes_ -= pending.used_bytes;
    if (!pending.is_undone && is_placeholder(pending.change.row_id)) --placeholders_;
  }
  changes_.erase(changes_.begin(), changes_.begin() + static_cast<std::ptrdiff_t>(count));
  if (locator_) locator_->change -= count;
  if (value_) value_->change -= count;
}

std::size_t TransactionBuilder::change_count() const {
  std::size_t out = 0;
  for (const SpilledChanges& spilled : spilled_) out += spilled.left;
  for (const Pending& pending : changes_) out += pending.is_undone ? 0 : 1;
  return out;
}

Result<void> TransactionBuilder::spill(RedoStore& store) {
  // The rows of a LOB or of a long value come behind the change they belong to.
  std::size_t end = changes_.size(), kept_bytes = 0;
  while (end > 0 && changes_.size() - end < kKeptChanges && kept_bytes < kKeptBytes) {
    kept_bytes += changes_[--end].used_bytes;
  }
  if (locator_) end = std::min(end, locator_->change);
  if (value_) end = std::min(end, value_->change);
  std::string bytes;
  while (end > 0) {
    bytes.clear();
    std::size_t next = 0, count = 0;
    for (; next < end && bytes.size() < kChunkBytes; ++next) {
      Pending& pending = changes_[next];
      if (pending.is_undone) continue;
      for (const auto& lob : pending.lobs) put_lob(lob.first, lob.second, pending.change);
      pending.lobs.clear();
      encode(pending.change, bytes);
      ++count;
    }
    if (count > 0) {
      WHERRY_ASSIGN(auto chunk, store.put(bytes));
      spilled_.push_back({std::move(chunk), std::vector<bool>(count), count});
    }
    drop_front(next);
    end -= next;
  }
  return {};
}

void TransactionBuilder::add_piece(const MinedRow& row, RedoRowKind kind, RedoReaders& readers,
                                   std::vector<RedoTableProblem>& problems) {
  const RedoPiece& piece = readers.piece;
  if (!readers.protocol.parse(kind, row.sql_redo, row.info, readers.piece)) {
    return report(row, kNotUnderstood, problems);
  }
  switch (kind) {
    case RedoRowKind::kXmlBegin:
    case RedoRowKind::kExtendedStringBegin:
      begin_value(row, piece, kind == RedoRowKind::kXmlBegin);
      return;
    case RedoRowKind::kXmlWrite:
    case RedoRowKind::kExtendedStringWrite:
      if (!value_) return report(row, kNotUnderstood, problems);
      add_to_value(piece);
      return;
    case RedoRowKind::kXmlEnd:
    case RedoRowKind::kExtendedStringEnd:
      end_value();
      return;
    default:
      break;
  }
  if (piece.table.empty() && !locator_) return report(row, kNotUnderstood, problems);
  add_lob_piece(row, kind, piece);
}

std::size_t TransactionBuilder::new_update(const MinedRow& row, const RedoPiece& piece) {
  Pending& added = add_change(row);
  added.change.kind = RedoKind::kUpdate;
  added.change.before = owned(piece.key);
  return changes_.size() - 1;
}

std::size_t TransactionBuilder::find_lob_change(const MinedRow& row, const RedoPiece& piece) {
  const bool goes_on = locator_ && locator_->column == piece.column && !is_new_lob_statement_ &&
                       may_be_row(changes_[locator_->change].change, piece.key);
  if (goes_on) return locator_->change;
  // Rows without a ROWID belong to a change without one; with one, to a statement of their own.
  const auto found = newest(row, &piece.key, true);
  if (!found) return new_update(row, piece);
  Pending& pending = changes_[*found];
  if (is_new_lob_statement_ && pending.lobs.contains(piece.column)) ++pending.lob_statements;
  if (!is_placeholder(row.row_id)) set_row_id(pending, row.row_id);
  return *found;
}

void TransactionBuilder::add_lob_piece(const MinedRow& row, RedoRowKind kind,
                                       const RedoPiece& piece) {
  if (kind == RedoRowKind::kSelectLobLocator) is_new_lob_statement_ = true;
  if (!piece.table.empty()) {
    const std::size_t change = find_lob_change(row, piece);
    locator_ = Target{change, std::string(piece.column), piece.lob_type, {}};
    is_new_lob_statement_ = false;
  }
  if (kind == RedoRowKind::kSelectLobLocator) return;
  LobContent& content = lob_of(*locator_);
  if (kind == RedoRowKind::kLobTrim && piece.length) content.trim(*piece.length);
  if (!piece.amount || !piece.offset) return;
  if (kind == RedoRowKind::kLobErase) content.erase(*piece.amount, *piece.offset);
  if (kind != RedoRowKind::kLobWrite || !piece.data) return;
  const bool is_hex = is_call(*piece.data, "HEXTORAW");
  content.write(*piece.amount, *piece.offset,
                is_hex ? bytes_of_hex(piece.data->text) : std::string(piece.data->text));
}

LobContent& TransactionBuilder::lob_of(const Target& target) {
  Pending& pending = changes_[target.change];
  const auto known = pending.lobs.find(target.column);
  if (known != pending.lobs.end()) return known->second;
  const auto unit =
      target.type == LobType::kBlob ? LobContent::Unit::kByte : LobContent::Unit::kCharacter;
  auto content = content_of(find_value(pending.change.after, target.column), unit);
  // An earlier change of the same row may have told what it is.
  for (std::size_t i = target.change; !content && i-- > 0;) {
    const Pending& earlier = changes_[i];
    const bool is_row = !earlier.is_undone && earlier.change.owner == pending.change.owner &&
                        earlier.change.table == pending.change.table &&
                        earlier.change.row_id == pending.change.row_id &&
                        !is_placeholder(earlier.change.row_id);
    if (!is_row) continue;
    const auto lob = earlier.lobs.find(target.column);
    if (lob != earlier.lobs.end()) {
      content = lob->second;
    } else {
      content = content_of(find_value(earlier.change.after, target.column), unit);
    }
  }
  return pending.lobs.emplace(target.column, content.value_or(LobContent(unit))).first->second;
}

void TransactionBuilder::begin_value(const MinedRow& row, const RedoPiece& piece,
                                     bool is_document) {
  end_value();
  auto found = newest(row, &piece.key, false);
  if (!found) found = newest(row, &piece.key, true);
  // Of an INSERT, which does not mention such columns or has a beginning only; else an UPDATE.
  const auto is_open = [&](const RedoChange& change) {
    const OwnedRedoValue* const value = find_value(change.after, piece.column);
    return change.kind == RedoKind::kInsert &&
           (value == nullptr || value->form == RedoForm::kNull || is_empty_lob(value) ||
            value->form == RedoForm::kBind || value->text == kEmptyString);
  };
  value_ = Target{};
  value_->is_document = is_document;
  value_->change = found && is_open(changes_[*found].change) ? *found : new_update(row, piece);
  value_->column = piece.column;
}

void TransactionBuilder::add_to_value(const RedoPiece& piece) {
  OwnedRedoValue& value = value_->value;
  if (!piece.data || piece.data->form == RedoForm::kNull) return;
  if (value.form == RedoForm::kNull) {
    value = OwnedRedoValue(*piece.data);
  } else {
    value.text += piece.data->text;
  }
}

void TransactionBuilder::end_value() {
  if (!value_) return;
  OwnedRedoValue value = std::move(value_->value);
  if (value_->is_document && value.form == RedoForm::kCall) {
    value = text_value(bytes_of_hex(value.text));
  }
  set_value(changes_[value_->change].change.after, value_->column, std::move(value));
  value_.reset();
}

void TransactionBuilder::finish(RedoTransaction& out) {
  end_value();
  for (SpilledChanges& spilled : spilled_) {
    if (spilled.left > 0) out.spilled.push_back(std::move(spilled));
  }
  for (Pending& pending : changes_) {
    if (pending.is_undone) continue;
    RedoChange& change = out.changes.emplace_back(std::move(pending.change));
    for (const auto& lob : pending.lobs) put_lob(lob.first, lob.second, change);
  }
  spilled_.clear();
  changes_.clear();
}

}  // namespace wherry::oracle
