#include "connect/postgres/row_encoder.h"

#include <algorithm>

#include "connect/postgres/wire/utf8.h"

namespace wherry::postgres {
namespace {

using wire::ColumnEncoder;
using wire::EncodeStatus;

constexpr std::size_t kPieceBytes = 64 * 1024;

const SpilledValue& spilled_value(const Cell& cell) {
  return *reinterpret_cast<const SpilledValue*>(cell.payload.ptr);
}

}  // namespace

std::string_view code_of(EncodeStatus status) {
  switch (status) {
    case EncodeStatus::kBadText:
      return "postgres.bad_text";
    case EncodeStatus::kOutOfRange:
      return "postgres.value_out_of_range";
    case EncodeStatus::kWouldRound:
      return "postgres.value_would_be_cut";
    case EncodeStatus::kTooLong:
      return "postgres.value_too_long";
    case EncodeStatus::kTooLarge:
      return "postgres.value_too_large";
    case EncodeStatus::kRowTooLarge:
      return "postgres.row_too_large";
    case EncodeStatus::kUnreadable:
      return "postgres.unreadable_at_source";
    default:
      return "postgres.wrong_form";
  }
}

std::string_view hint_of(EncodeStatus status) {
  switch (status) {
    case EncodeStatus::kBadText:
      return "Correct the text in the source row";
    case EncodeStatus::kTooLarge:
    case EncodeStatus::kRowTooLarge:
      return "Leave the column out with the table mappings, or shorten the value";
    case EncodeStatus::kWrongForm:
      return "Correct the source row, or give the column on the target a type that fits";
    case EncodeStatus::kUnreadable:
      return "Correct the value in the source row";
    default:
      return "Widen the column on the target, or let Wherry create the table (DROP_AND_CREATE)";
  }
}

std::string message_of(EncodeStatus status, const schema::ColumnPlan& column, const Cell& cell) {
  if (status != EncodeStatus::kUnreadable) return std::string(text_of(status));
  const bool is_added = column.origin == schema::ColumnOrigin::kAdded;
  return (is_added ? std::string() : "the source's value ") + std::string(cell.bytes());
}

Result<std::optional<RowProblem>> RowEncoder::put(const Cell* row, const Send& send) {
  const std::size_t start = buffer_.size();
  bool is_checked = false;
  wire::store_u16(buffer_.claim(2), static_cast<std::uint16_t>(encoders_.size()));
  for (std::size_t c = 0; c < encoders_.size(); ++c) {
    const EncodeStatus status = wire::encode_cell(encoders_[c], row[c], buffer_);
    if (status == EncodeStatus::kOk) continue;
    if (status != EncodeStatus::kSpilled) {
      buffer_.cut(start);
      return std::optional(RowProblem{status, c});
    }
    if (!is_checked) {
      // What was sent cannot be taken back: first look at the whole row.
      const std::size_t here = buffer_.size();
      WHERRY_ASSIGN(const auto problem, check(row));
      if (problem) {
        buffer_.cut(start);
        return problem;
      }
      buffer_.cut(here);
      is_checked = true;
    }
    WHERRY_TRY(stream(encoders_[c], spilled_value(row[c]), send));
  }
  if (!is_checked && !fits_row(buffer_.size() - start)) {
    buffer_.cut(start);
    return std::optional(RowProblem{EncodeStatus::kRowTooLarge, encoders_.size() - 1});
  }
  return std::optional<RowProblem>{};
}

Result<std::optional<RowProblem>> RowEncoder::check(const Cell* row) {
  const std::size_t start = buffer_.size();
  std::optional<RowProblem> problem;
  std::uint64_t row_bytes = 0;
  for (std::size_t c = 0; c < encoders_.size() && !problem; ++c) {
    ColumnEncoder& encoder = encoders_[c];
    const std::uint64_t zeros = encoder.zeros_replaced;
    EncodeStatus status = wire::encode_cell(encoder, row[c], buffer_);
    encoder.zeros_replaced = zeros;
    row_bytes += buffer_.size() - start;
    buffer_.cut(start);
    if (status == EncodeStatus::kSpilled) {
      const SpilledValue& value = spilled_value(row[c]);
      WHERRY_ASSIGN(status, check_spilled(encoder, value));
      row_bytes += value.size_bytes;
    }
    if (status == EncodeStatus::kOk && !fits_row(row_bytes)) status = EncodeStatus::kRowTooLarge;
    if (status != EncodeStatus::kOk) problem = RowProblem{status, c};
  }
  return problem;
}

Result<std::string_view> RowEncoder::read_piece(const SpilledValue& value, std::uint64_t done) {
  const std::uint64_t left = value.size_bytes - done;
  piece_.resize(static_cast<std::size_t>(std::min<std::uint64_t>(left, kPieceBytes)));
  WHERRY_ASSIGN(const std::size_t got, value.file->read(value.offset_bytes + done, piece_));
  WHERRY_ASSERT(got == piece_.size(), "a spill file holds what was written to it");
  return std::string_view(reinterpret_cast<const char*>(piece_.data()), got);
}

Result<std::uint64_t> RowEncoder::skipped_bytes(const ColumnEncoder& encoder,
                                                const SpilledValue& value) {
  if (!encoder.is_xml) return std::uint64_t{0};
  WHERRY_ASSIGN(const std::string_view begin, read_piece(value, 0));
  return static_cast<std::uint64_t>(wire::xml_declaration_bytes(begin));
}

Result<EncodeStatus> RowEncoder::check_spilled(const ColumnEncoder& encoder,
                                               const SpilledValue& value) {
  const std::uint64_t prefix = encoder.is_jsonb ? 1 : 0;
  if (value.size_bytes + prefix > wire::kMaxValueBytes) return EncodeStatus::kTooLarge;
  if (!encoder.is_text) return EncodeStatus::kOk;
  const std::size_t start = buffer_.size();
  std::uint64_t characters = 0;
  for (std::uint64_t done = 0; done < value.size_bytes;) {
    WHERRY_ASSIGN(const std::string_view piece, read_piece(value, done));
    char* at = buffer_.claim(piece.size());
    const wire::Utf8Copy copy = wire::copy_utf8(piece, at, value.size_bytes - done > piece.size());
    characters += wire::count_characters({at, copy.copied});
    buffer_.cut(start);
    if (!copy.is_valid || (copy.zeros != 0 && encoder.refuses_zeros)) return EncodeStatus::kBadText;
    done += copy.copied;
  }
  const bool is_too_long = encoder.max_chars != 0 && characters > encoder.max_chars;
  return is_too_long ? EncodeStatus::kTooLong : EncodeStatus::kOk;
}

Result<void> RowEncoder::stream(ColumnEncoder& encoder, const SpilledValue& value,
                                const Send& send) {
  WHERRY_ASSIGN(const std::uint64_t skipped, skipped_bytes(encoder, value));
  const std::uint64_t prefix = encoder.is_jsonb ? 1 : 0;
  const std::uint64_t size = value.size_bytes - skipped + prefix;
  wire::store_u32(buffer_.claim(4), static_cast<std::uint32_t>(size));
  if (prefix != 0) *buffer_.claim(1) = 1;
  for (std::uint64_t done = skipped; done < value.size_bytes;) {
    WHERRY_ASSIGN(const std::string_view piece, read_piece(value, done));
    if (encoder.is_text) {
      const std::size_t start = buffer_.size();
      const wire::Utf8Copy copy = wire::copy_utf8(piece, buffer_.claim(piece.size()),
                                                  value.size_bytes - done > piece.size());
      WHERRY_ASSERT(copy.is_valid, "the value was looked at before");
      buffer_.cut(start + copy.copied);
      encoder.zeros_replaced += copy.zeros;
      done += copy.copied;
    } else {
      buffer_.append(piece);
      done += piece.size();
    }
    WHERRY_TRY(send());
  }
  return {};
}

}  // namespace wherry::postgres
