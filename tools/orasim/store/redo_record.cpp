#include "store/redo_record.h"

#include "store/row_fields.h"

namespace orasim {
namespace {

/// Record header and change vectors of a row, roughly as they are in the field.
constexpr std::size_t kRecordHead = 24, kChangeHead = 120;

struct ImageFields {
  std::vector<Field> fields;
  std::vector<bool> is_lob;
};

ImageFields fields_of(std::string_view image) {
  ImageFields out;
  const char* p = image.data();
  const char* end = p + image.size();
  while (p < end) {
    bool lob = false;
    out.fields.push_back(row_fields::next_field(p, lob));
    out.is_lob.push_back(lob);
  }
  return out;
}

std::string_view bytes_of(const ImageFields& image, std::size_t slot) {
  const Field& f = image.fields[slot];
  if (image.is_lob[slot]) return row_fields::lob_at(f.data)->data;
  return {f.data, f.size};
}

bool is_null(const ImageFields& image, std::size_t slot) {
  return slot >= image.fields.size() || image.fields[slot].is_null();
}

}  // namespace

Xid xid_of(std::uint64_t n) {
  return {static_cast<std::uint16_t>(1 + n % 10), static_cast<std::uint16_t>(n / 10 % 34),
          static_cast<std::uint32_t>(1000 + n / 340)};
}

std::size_t RedoRecord::redo_bytes() const {
  const std::size_t data = old_image.size() + new_image.size() + text.size();
  const std::size_t head = is_row() ? kRecordHead + kChangeHead : kRecordHead * 2;
  return (head + data + 3) / 4 * 4;
}

SlotSet changed_slots(std::string_view old_image, std::string_view new_image) {
  const ImageFields before = fields_of(old_image), after = fields_of(new_image);
  SlotSet changed;
  for (std::size_t slot = 0; slot < before.fields.size() || slot < after.fields.size(); ++slot) {
    const bool was_null = is_null(before, slot);
    if (was_null != is_null(after, slot)) {
      changed.add(slot);
      continue;
    }
    if (was_null) continue;
    const bool same_lob =
        before.is_lob[slot] && after.is_lob[slot] &&
        row_fields::lob_at(before.fields[slot].data) == row_fields::lob_at(after.fields[slot].data);
    if (!same_lob && bytes_of(before, slot) != bytes_of(after, slot)) changed.add(slot);
  }
  return changed;
}

std::string sparse_image(std::string_view image, const SlotSet& keep) {
  std::string out;
  const ImageFields all = fields_of(image);
  for (std::size_t slot = 0; slot < all.fields.size(); ++slot) {
    const Field& f = all.fields[slot];
    if (f.is_null() || !keep.has(slot)) {
      out.push_back(0);
    } else if (all.is_lob[slot]) {
      row_fields::put_lob_bytes(out, row_fields::lob_at(f.data)->data);
    } else {
      row_fields::put_field(out, {f.data, f.size});
    }
  }
  return out;
}

void write_redo_record(const RedoRecord& r, ByteWriter& w) {
  w.u8(static_cast<std::uint8_t>(r.kind));
  w.varint(r.thread);
  w.boolean(r.is_undo), w.boolean(r.has_partial_xid);
  w.boolean(r.is_lob_write);
  w.varint(r.transaction);
  w.varint(r.scn);
  w.i64(r.unix_seconds);
  w.varint(r.address.sequence), w.varint(r.address.block), w.varint(r.address.offset);
  w.text(r.user);
  w.varint(r.session_id);
  w.varint(r.table == nullptr ? 0 : r.table->object_id);
  w.varint(r.row_id.object), w.varint(r.row_id.file);
  w.varint(r.row_id.block), w.varint(r.row_id.slot);
  w.text(r.logged.bytes()), w.text(r.changed.bytes());
  w.text(r.old_image), w.text(r.new_image), w.text(r.text);
  w.text(r.owner), w.text(r.name);
  w.varint(r.start_scn);
}

StoredRedoRecord read_redo_record(ByteReader& in) {
  StoredRedoRecord out;
  RedoRecord& r = out.record;
  r.kind = static_cast<RedoKind>(in.u8());
  if (r.kind < RedoKind::kStart || r.kind > RedoKind::kRollback) {
    throw CorruptBytes("a redo record is of an unknown kind");
  }
  r.thread = static_cast<std::uint32_t>(in.varint());
  r.is_undo = in.boolean();
  r.has_partial_xid = in.boolean();
  r.is_lob_write = in.boolean();
  r.transaction = in.varint();
  r.scn = in.varint();
  r.unix_seconds = in.i64();
  r.address.sequence = static_cast<std::uint32_t>(in.varint());
  r.address.block = static_cast<std::uint32_t>(in.varint());
  r.address.offset = static_cast<std::uint16_t>(in.varint());
  r.user = in.string();
  r.session_id = static_cast<std::uint32_t>(in.varint());
  out.object_id = static_cast<std::uint32_t>(in.varint());
  r.row_id.object = static_cast<std::uint32_t>(in.varint());
  r.row_id.file = static_cast<std::uint16_t>(in.varint());
  r.row_id.block = static_cast<std::uint32_t>(in.varint());
  r.row_id.slot = static_cast<std::uint16_t>(in.varint());
  r.logged = SlotSet(in.text());
  r.changed = SlotSet(in.text());
  r.old_image = in.string();
  r.new_image = in.string();
  r.text = in.string();
  r.owner = in.string();
  r.name = in.string();
  r.start_scn = in.varint();
  return out;
}

}  // namespace orasim
