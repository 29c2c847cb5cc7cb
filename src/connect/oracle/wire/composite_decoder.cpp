#include "connect/oracle/wire/composite_decoder.h"

#include "connect/oracle/wire/charset.h"
#include "connect/oracle/wire/framed_value.h"
#include "connect/oracle/wire/locator.h"
#include "connect/oracle/wire/object_value.h"
#include "connect/oracle/wire/oson.h"
#include "connect/oracle/wire/rowid.h"
#include "connect/oracle/wire/utf16.h"
#include "connect/oracle/wire/vector_image.h"

namespace wherry::oracle::wire {
namespace {

/// nullopt for NULL, which byte strings do not tell from empty ones.
std::optional<ByteView> unless_empty(Taken taken) {
  return taken.bytes.empty() ? std::nullopt : std::optional(taken.bytes);
}

/// Prefetched character data says first whether its character set follows.
void skip_prefetch_charset(Reader& in) {
  if (in.u8() == 1) in.ub2();
  in.skip(1);
}

/// A LOB as it lies in the row: measured, to be copied once its size is known.
struct LobParts {
  LobValue value;
  Reader data, locator;
};

template <CellKind kKind, LobForm kForm>
std::optional<LobParts> read_lob(Reader& in) {
  LobParts lob{{}, in, in};
  if (in.ub4() == 0) return std::nullopt;
  if constexpr (kForm != LobForm::kBareLocator) {
    lob.value.size = in.ub8();
    lob.value.has_size = true;
    in.ub4();
  }
  if constexpr (kForm == LobForm::kPrefetched) {
    if constexpr (kKind == CellKind::kText) skip_prefetch_charset(in);
    lob.data = in;
    lob.value.data_bytes = static_cast<std::uint32_t>(in.skip_clr());
  }
  lob.locator = in;
  lob.value.locator_bytes = static_cast<std::uint32_t>(in.skip_clr());
  return lob.value.locator_bytes == 0 ? std::nullopt : std::optional(lob);
}

/// The bytes of a string that lies there in one chunk; nullopt when there are several.
std::optional<ByteView> in_one_chunk(Reader string, std::size_t size) {
  constexpr std::uint8_t kChunked = 0xFE;
  if (string.u8() == kChunked && string.chunk_size() != size) return std::nullopt;
  return string.raw(size);
}

/// Text that came whole is made UTF-8 here and now, which spares copies of it; nobody needs its
/// locator then. False: it is to be read the long way.
bool put_whole_text(const LobParts& lob, Arena& arena, Cell& out) {
  if (lob.value.data_bytes / 2 < lob.value.size) return false;
  const auto locator_bytes = in_one_chunk(lob.locator, lob.value.locator_bytes);
  const auto utf16 = in_one_chunk(lob.data, lob.value.data_bytes);
  if (!locator_bytes || !utf16) return false;
  const Locator locator(*locator_bytes);
  if (!locator.is_utf16() || locator.is_little_endian() || locator.is_temporary()) return false;
  const std::size_t room = sizeof(LobValue) + max_utf8_bytes(utf16->size());
  std::byte* const place = arena.allocate(room);
  std::size_t size = 0;
  const bool is_text = utf16_to_utf8(*utf16, reinterpret_cast<char*>(place + sizeof(LobValue)),
                                     size) == ValueStatus::kOk;
  arena.shrink(place, room, is_text ? sizeof(LobValue) + size : 0);
  if (!is_text) return false;
  LobValue whole;
  whole.size = lob.value.size;
  whole.data_bytes = static_cast<std::uint32_t>(size);
  whole.has_size = whole.is_complete = true;
  std::memcpy(place, &whole, sizeof whole);
  out.payload.ptr = place;
  return true;
}

template <CellKind kKind, LobForm kForm>
ValueStatus decode_lob(ByteCursor& in, DecodeContext& context, Cell& out) {
  return decode_framed(kKind, in, context, out, read_lob<kKind, kForm>, [&](LobParts lob) {
    if constexpr (kForm == LobForm::kPrefetched && kKind == CellKind::kText) {
      if (put_whole_text(lob, *context.arena, out)) return ValueStatus::kOk;
    }
    std::byte* const place = context.arena->allocate(lob.value.total_bytes());
    std::memcpy(place, &lob.value, sizeof lob.value);
    auto* const bytes = reinterpret_cast<std::uint8_t*>(place + sizeof lob.value);
    lob.locator.clr_to(bytes);
    if (lob.value.data_bytes != 0) lob.data.clr_to(bytes + lob.value.locator_bytes);
    out.payload.ptr = place;
    return ValueStatus::kOk;
  });
}

template <CellKind kKind>
DecodeValue lob_decoder_of(LobForm form) {
  switch (form) {
    case LobForm::kSizedLocator:
      return decode_lob<kKind, LobForm::kSizedLocator>;
    case LobForm::kPrefetched:
      return decode_lob<kKind, LobForm::kPrefetched>;
    default:
      return decode_lob<kKind, LobForm::kBareLocator>;
  }
}

/// JSON and VECTOR: sizes, the image, and a locator that nobody needs.
template <ValueStatus (*kPrint)(ByteView, std::string&)>
ValueStatus decode_document(ByteCursor& in, DecodeContext& context, Cell& out) {
  const auto read = [&](Reader& reader) -> std::optional<ByteView> {
    if (reader.ub4() == 0) return std::nullopt;
    reader.ub8();
    reader.ub4();
    const auto image = unless_empty(take_clr(reader, *context.arena));
    reader.skip_clr();
    return image;
  };
  return decode_framed(CellKind::kText, in, context, out, read, [&](ByteView image) {
    context.scratch.clear();
    const ValueStatus status = kPrint(image, context.scratch);
    put_text(context.scratch, context, out);
    return status == ValueStatus::kMalformed ? ValueStatus::kUnknownForm : status;
  });
}

/// XML comes as LOBs do: a locator, or the whole text.
void put_xml(const LobValue& xml, ByteView bytes, DecodeContext& context, Cell& out) {
  std::byte* const place = context.arena->allocate(xml.total_bytes());
  std::memcpy(place, &xml, sizeof xml);
  if (!bytes.empty()) std::memcpy(place + sizeof xml, bytes.data(), bytes.size());
  out.payload.ptr = place;
}

}  // namespace

DecodeValue lob_decoder(CellKind kind, LobForm form) {
  return kind == CellKind::kText ? lob_decoder_of<CellKind::kText>(form)
                                 : lob_decoder_of<CellKind::kBytes>(form);
}

ValueStatus decode_rowid(ByteCursor& in, DecodeContext& context, Cell& out) {
  return decode_framed(CellKind::kText, in, context, out, read_rowid_column,
                       [&](const RowidParts& rowid) {
                         out.size_bytes = kRowidChars;
                         std::byte* const place = context.arena->allocate(kRowidChars);
                         write_rowid(rowid, reinterpret_cast<char*>(place));
                         out.payload.ptr = place;
                         return ValueStatus::kOk;
                       });
}

ValueStatus decode_urowid(ByteCursor& in, DecodeContext& context, Cell& out) {
  const auto read = [&](Reader& reader) -> std::optional<ByteView> {
    if (reader.ub4() == 0) return std::nullopt;
    return unless_empty(take_clr(reader, *context.arena));
  };
  return decode_framed(CellKind::kText, in, context, out, read, [&](ByteView image) {
    const ValueStatus status = urowid_text(image, context.scratch);
    put_text(context.scratch, context, out);
    return status;
  });
}

ValueStatus decode_json(ByteCursor& in, DecodeContext& context, Cell& out) {
  return decode_document<oson_to_json>(in, context, out);
}

ValueStatus decode_vector(ByteCursor& in, DecodeContext& context, Cell& out) {
  return decode_document<vector_to_text>(in, context, out);
}

ValueStatus decode_bfile_name(ByteCursor& in, DecodeContext& context, Cell& out) {
  const auto read = [&](Reader& reader) -> std::optional<ByteView> {
    if (reader.ub4() == 0) return std::nullopt;
    return unless_empty(take_clr(reader, *context.arena));
  };
  return decode_framed(CellKind::kText, in, context, out, read, [&](ByteView bytes) {
    const auto file = Locator(bytes).file();
    if (!file) return ValueStatus::kUnknownForm;
    context.scratch.assign(file->directory).append("/").append(file->name);
    put_text(context.scratch, context, out);
    return ValueStatus::kOk;
  });
}

ValueStatus decode_xml(ByteCursor& in, DecodeContext& context, Cell& out) {
  const auto read = [&](Reader& reader) -> std::optional<ByteView> {
    if (!read_object_head(reader)) return std::nullopt;
    return unless_empty(take_clr(reader, *context.arena));
  };
  return decode_framed(CellKind::kText, in, context, out, read, [&](ByteView image) {
    const std::optional<XmlContent> content = parse_xml_image(image);
    if (!content) return ValueStatus::kUnknownForm;
    LobValue xml;
    if (content->is_locator) {
      xml.locator_bytes = static_cast<std::uint32_t>(content->bytes.size());
      put_xml(xml, content->bytes, context, out);
      return ValueStatus::kOk;
    }
    if (!to_utf8(text_of(content->bytes), context.database_charset, context.scratch)) {
      return ValueStatus::kBadUtf8;
    }
    xml.is_complete = true;
    xml.data_bytes = static_cast<std::uint32_t>(context.scratch.size());
    put_xml(xml, bytes_of(context.scratch), context, out);
    return ValueStatus::kOk;
  });
}

}  // namespace wherry::oracle::wire
