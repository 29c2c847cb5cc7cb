// Replay of the log. Bodies of the records (after the kind byte; varint unless said otherwise):
//   opened    i64 microseconds
//   changes   transaction number; then changes to the end: u8 1 insert / 2 update / 3 delete, data
//             object, ordinal, [insert: block, slot], [insert, update: text row image]
//   commit    transaction number, u64 SCN, i64 microseconds, redo records
//   catalog   u64 SCN, i64 microseconds, the change (catalog_codec.cpp), redo records
//   extent    data object, file, first block, block count
//   sequence  object id, restarts, text number
//   SCN floor u64
//   redo      an event of the redo log (redo_log.cpp)
// Every version of every row is rebuilt, so older states are readable after a restart as before.
#include <stdexcept>

#include "store/catalog_codec.h"
#include "store/store_impl.h"

namespace orasim {

class Recovery {
 public:
  explicit Recovery(StoreImpl& store)
      : store_(store), catalog_(std::make_shared<Catalog>(*store.catalog())) {}

  void apply(std::string_view payload) {
    ByteReader in(payload);
    switch (static_cast<RecordKind>(in.u8())) {
      case RecordKind::kOpened:
        return opened(in);
      case RecordKind::kChanges:
        return keep_changes(in);
      case RecordKind::kCommit:
        return commit(in);
      case RecordKind::kCatalog:
        return change_catalog(in);
      case RecordKind::kExtent:
        return extent(in);
      case RecordKind::kSequence:
        return store_.sequences_.restore(in);
      case RecordKind::kScnFloor:
        return store_.log_.restore_floor(in.u64());
      case RecordKind::kRedo:
        return store_.redo_.restore(in, tables());
    }
    throw CorruptBytes("a record is of an unknown kind");
  }

  void finish() {
    for (const auto& [id, segment] : store_.segments_) segment->finish_restore();
  }

 private:
  void opened(ByteReader& in) {
    const std::int64_t micros = in.i64();
    if (store_.created_micros_ == 0) store_.created_micros_ = micros;
    open_changes_.clear();
  }

  void keep_changes(ByteReader& in) {
    const std::uint64_t number = in.varint();
    open_changes_[number].emplace_back(in.rest());
  }

  void commit(ByteReader& in) {
    const std::uint64_t number = in.varint();
    const Scn scn = in.u64();
    const std::int64_t micros = in.i64();
    TxRecord& record = store_.records_.emplace_back();
    record.commit_scn.store(scn);
    for (const std::string& part : open_changes_[number]) {
      ByteReader changes(part);
      while (!changes.at_end()) change(changes, &record);
    }
    open_changes_.erase(number);
    store_.transaction_number_ = std::max(store_.transaction_number_, number);
    store_.log_.restore(scn, micros);
    store_.redo_.restore_records(in, tables());
  }

  void change(ByteReader& in, TxRecord* record) {
    const std::uint8_t kind = in.u8();
    const SegmentPtr segment = segment_of(static_cast<std::uint32_t>(in.varint()));
    const std::uint64_t ordinal = in.varint();
    if (kind == 1) {
      const auto block = static_cast<std::uint32_t>(in.varint());
      segment->restore_slot(ordinal, block, static_cast<std::uint16_t>(in.varint()));
    } else if (ordinal >= segment->row_slots()) {
      throw CorruptBytes("a change is of a row that does not exist");
    }
    const Version* old = newest_data(segment->slot(ordinal));
    if (old != nullptr && old->kind() == VersionKind::kRow) {
      segment->count_live(-1, -static_cast<std::int64_t>(old->size));
    }
    if (kind == 3) {
      segment->push(ordinal, record, 0, VersionKind::kDeleted, {});
      return;
    }
    import_image(in.text(), segment->lobs(), image_);
    segment->push(ordinal, record, 0, VersionKind::kRow, image_);
    segment->count_live(1, static_cast<std::int64_t>(image_.size()));
  }

  void change_catalog(ByteReader& in) {
    const Scn scn = in.u64();
    const std::int64_t micros = in.i64();
    auto next = std::make_shared<Catalog>(*catalog_);
    apply_catalog_change(in, *next);
    catalog_ = next;
    tables_.clear();
    store_.install(std::move(next));
    store_.log_.restore(scn, micros);
    store_.redo_.restore_records(in, tables());
  }

  void extent(ByteReader& in) {
    const auto object = static_cast<std::uint32_t>(in.varint());
    ExtentInfo extent;
    extent.file = static_cast<std::uint16_t>(in.varint());
    extent.first_block = static_cast<std::uint32_t>(in.varint());
    extent.block_count = static_cast<std::uint32_t>(in.varint());
    segment_of(object)->restore_extent(extent);
    store_.next_block_ = extent.first_block + extent.block_count;
  }

  /// Finds a table of the catalog by its object id.
  RedoLog::FindTable tables() {
    return [this](std::uint32_t object_id) -> std::shared_ptr<const TableDef> {
      if (tables_.empty()) {
        for (const auto& [name, table] : catalog_->tables) tables_[table->object_id] = table;
      }
      const auto found = tables_.find(object_id);
      return found == tables_.end() ? nullptr : found->second;
    };
  }

  [[nodiscard]] SegmentPtr segment_of(std::uint32_t data_object) const {
    SegmentPtr segment = store_.find_segment(data_object);
    if (segment == nullptr) {
      throw CorruptBytes("data object " + std::to_string(data_object) + " is not in the catalog");
    }
    return segment;
  }

  StoreImpl& store_;
  std::shared_ptr<const Catalog> catalog_;
  std::unordered_map<std::uint64_t, std::vector<std::string>> open_changes_;
  std::unordered_map<std::uint32_t, std::shared_ptr<const TableDef>> tables_;
  std::string image_;
};

void StoreImpl::recover(const std::string& data_dir) {
  Recovery recovery(*this);
  const auto replay = [&](std::string_view payload) {
    try {
      recovery.apply(payload);
    } catch (const CorruptBytes& e) {
      throw std::runtime_error(data_dir + "/orasim.log: " + e.what() +
                               "; the file was damaged after it was written");
    }
  };
  auto file = LogFile::open(data_dir, replay);
  recovery.finish();
  const std::int64_t now = log_.now_micros();
  if (created_micros_ == 0) created_micros_ = now;
  log_.start(std::move(file), now);
  redo_.start();
  redo_.undo_open_transactions();
  transaction_number_ = std::max(transaction_number_, redo_.last_transaction());
}

}  // namespace orasim
