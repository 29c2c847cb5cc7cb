// One record of redo: what LogMiner makes a row of. See redo_log.h for where records lie.
//
// Row images are self-contained (LOBs as bytes, see row_codec.h) and sparse: columns that the redo
// says nothing of are NULL in them; `logged` and `changed` say which those are not.
#pragma once

#include <compare>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "store/byte_io.h"
#include "store/slot_set.h"
#include "store/store.h"

namespace orasim {

enum class RedoKind : std::uint8_t {
  kStart = 1,
  kInsert = 2,
  kUpdate = 3,
  kDelete = 4,
  kDdl = 5,
  kCommit = 6,
  kRollback = 7,
};

/// Redo byte address: log sequence, block of 512 bytes, byte in the block. Within a thread redo is
/// in the order of its addresses.
struct RedoAddress {
  std::uint32_t sequence = 0, block = 0;
  std::uint16_t offset = 0;
  friend auto operator<=>(const RedoAddress&, const RedoAddress&) = default;
};

struct Xid {
  std::uint16_t usn = 0, slot = 0;
  std::uint32_t sequence = 0;
  friend auto operator<=>(const Xid&, const Xid&) = default;
};
/// Transaction numbers count from 1; each has an XID of its own.
Xid xid_of(std::uint64_t transaction_number);

struct RedoRecord {
  RedoKind kind = RedoKind::kStart;
  std::uint32_t thread = 1;       ///< of the instance that wrote it
  bool is_undo = false;           ///< takes an earlier change back: ROLLBACK = 1
  bool is_lob_write = false;      ///< update: of a part of a LOB, whose old value is in `old_image`
  bool has_partial_xid = false;   ///< the redo names only segment and slot of its transaction
  std::uint64_t transaction = 0;  ///< its number
  Scn scn = 0;                    ///< of the change
  std::int64_t unix_seconds = 0;
  RedoAddress address;
  std::string user;
  std::uint32_t session_id = 0;
  // Rows and DDL.
  std::shared_ptr<const TableDef> table;  ///< as it was then; null for DDL of something else
  RowId row_id;
  /// Update: columns of WHERE, and of SET. An undo of an update has no WHERE.
  SlotSet logged, changed;
  std::string old_image;    ///< of update and delete
  std::string new_image;    ///< of insert and update
  std::string text;         ///< of DDL, as it was typed
  std::string owner, name;  ///< of DDL: the table it was about
  Scn start_scn = 0;        ///< of commit and rollback: when the transaction began

  [[nodiscard]] bool is_row() const {
    return kind == RedoKind::kInsert || kind == RedoKind::kUpdate || kind == RedoKind::kDelete;
  }
  /// What it takes in a log file.
  [[nodiscard]] std::size_t redo_bytes() const;
};

using RedoRecordPtr = std::shared_ptr<const RedoRecord>;

/// Without `table`, of which only the object id is written.
void write_redo_record(const RedoRecord&, ByteWriter&);
struct StoredRedoRecord {
  RedoRecord record;
  std::uint32_t object_id = 0;  ///< 0: no table
};
StoredRedoRecord read_redo_record(ByteReader&);

// Images in memory -> what redo keeps of them.
/// Slots whose values differ. LOBs are compared by content.
SlotSet changed_slots(std::string_view old_image, std::string_view new_image);
std::string sparse_image(std::string_view image, const SlotSet& keep);

}  // namespace orasim
