// pgoutput's messages, as one connection sends them: the input is a list of messages, each a length
// of two bytes and its bytes. Whatever they are, what a message says lies inside of its bytes.
// Fields in text form become binary ones of a type that their first byte chooses, and are decoded;
// and each is read as a statement with a definition behind it, too.
#include "connect/postgres/ddl_audit.h"
#include "connect/postgres/wire/decoder.h"
#include "connect/postgres/wire/pgoutput.h"
#include "connect/postgres/wire/text_form.h"
#include "input.h"

namespace {

using wherry::fuzz::Input;
using wherry::fuzz::require;
namespace wire = wherry::postgres::wire;

void lies_within(std::string_view part, std::string_view whole) {
  if (part.empty()) return;
  require(part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size());
}

void check_text(std::string_view text) {
  using wherry::postgres::NativeKind;
  if (text.empty()) return;
  wherry::postgres::NativeType type;
  type.kind = static_cast<NativeKind>(static_cast<unsigned char>(text[0]) %
                                      (static_cast<int>(NativeKind::kOther) + 1));
  std::string binary;
  if (!wire::binary_form(type.kind, text.substr(1), binary)) return;
  const auto decoder =
      wire::choose_decoder(wherry::postgres::logical_type_of(type, ""), type, false);
  if (!decoder) return;
  wherry::Arena arena;
  wherry::Cell cell{};
  (void)decoder->decode(*decoder, binary, arena, cell);
}

/// What Wherry's event trigger says of a table, which anybody may write.
void check_ddl(std::string_view text) {
  wherry::connect::RowShape audit;
  audit.definition.columns.emplace_back().name = "c_ddlqry";
  const auto record = wherry::postgres::read_ddl_record(audit, {{wire::FieldKind::kText, text}});
  require(record.has_value());
  lies_within(record->statement, text);
  if (!record->definition) return;
  require(!record->definition->columns.empty());
  (void)wherry::postgres::relation_of(*record->definition, 1);
}

void check(const wire::Message& message, std::string_view bytes) {
  // A name may be left of an earlier message; only fields of rows are used unseen.
  if (message.type == wire::MessageType::kInsert || message.type == wire::MessageType::kUpdate) {
    for (const wire::Field& field : message.after) {
      lies_within(field.bytes, bytes);
      check_text(field.bytes);
      check_ddl(field.bytes);
    }
  }
  if (message.type == wire::MessageType::kUpdate || message.type == wire::MessageType::kDelete) {
    if (message.old_kind == 0) require(message.before.empty());
    for (const wire::Field& field : message.before) lies_within(field.bytes, bytes);
  }
  if (message.type == wire::MessageType::kRelation) {
    for (const wire::RelationColumn& column : message.columns) lies_within(column.name, bytes);
    require(message.columns.size() * 10 <= bytes.size());
  }
  if (message.type == wire::MessageType::kTruncate) {
    require(message.relations.size() * 4 <= bytes.size());
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Input input(data, size);
  wire::PgoutputDecoder decoder;
  wire::Message message;
  while (!input.empty()) {
    const std::size_t high = input.byte();
    const auto piece = input.take(high << 8 | input.byte());
    const std::string_view bytes(reinterpret_cast<const char*>(piece.data()), piece.size());
    if (decoder.decode(bytes, message)) check(message, bytes);
    wire::WalMessage wal;
    if (wire::decode_wal_message(bytes, wal)) lies_within(wal.data, bytes);
  }
  return 0;
}
