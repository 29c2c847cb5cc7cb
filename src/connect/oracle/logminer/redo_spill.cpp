#include "connect/oracle/logminer/redo_spill.h"

#include <cstring>

namespace wherry::oracle {
namespace {

template <class Number>
void put_number(Number value, std::string& out) {
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}

void put_text(std::string_view text, std::string& out) {
  put_number(static_cast<std::uint32_t>(text.size()), out);
  out += text;
}

void put_image(const RedoImage& image, std::string& out) {
  put_number(static_cast<std::uint32_t>(image.size()), out);
  for (const OwnedRedoField& field : image) {
    put_text(field.column, out);
    put_number(static_cast<std::uint8_t>(field.value.form), out);
    put_number(field.value.argument_count, out);
    for (const std::string* text :
         {&field.value.text, &field.value.format, &field.value.function, &field.value.hint}) {
      put_text(*text, out);
    }
  }
}

class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}

  template <class Number>
  Number number() {
    Number out{};
    if (rest_.size() < sizeof out) {
      rest_ = {};
      is_good_ = false;
      return out;
    }
    std::memcpy(&out, rest_.data(), sizeof out);
    rest_.remove_prefix(sizeof out);
    return out;
  }
  std::string text() {
    const auto size = number<std::uint32_t>();
    if (size > rest_.size()) is_good_ = false;
    std::string out(rest_.substr(0, size));
    rest_.remove_prefix(out.size());
    return out;
  }
  RedoImage image() {
    RedoImage out;
    for (auto left = number<std::uint32_t>(); left > 0 && is_good_; --left) {
      OwnedRedoField& field = out.emplace_back();
      field.column = text();
      field.value.form = static_cast<RedoForm>(number<std::uint8_t>());
      field.value.argument_count = number<std::uint8_t>();
      for (std::string* part :
           {&field.value.text, &field.value.format, &field.value.function, &field.value.hint}) {
        *part = text();
      }
    }
    return out;
  }
  [[nodiscard]] bool is_good() const { return is_good_; }
  [[nodiscard]] bool is_at_end() const { return rest_.empty(); }

 private:
  std::string_view rest_;
  bool is_good_ = true;
};

RedoChange decode(Reader& in) {
  RedoChange out;
  out.kind = static_cast<RedoKind>(in.number<std::uint8_t>());
  out.is_hidden = in.number<std::uint8_t>() != 0;
  for (std::string* text : {&out.owner, &out.table, &out.row_id}) *text = in.text();
  out.after = in.image();
  out.before = in.image();
  for (auto left = in.number<std::uint32_t>(); left > 0 && in.is_good(); --left) {
    out.unknown.push_back(in.text());
  }
  return out;
}

}  // namespace

void encode(const RedoChange& change, std::string& bytes) {
  put_number(static_cast<std::uint8_t>(change.kind), bytes);
  put_number(static_cast<std::uint8_t>(change.is_hidden), bytes);
  for (const std::string* text : {&change.owner, &change.table, &change.row_id}) {
    put_text(*text, bytes);
  }
  put_image(change.after, bytes);
  put_image(change.before, bytes);
  put_number(static_cast<std::uint32_t>(change.unknown.size()), bytes);
  for (const std::string& column : change.unknown) put_text(column, bytes);
}

Result<std::vector<RedoChange>> load_all(const SpilledChanges& spilled) {
  WHERRY_ASSIGN(const std::string bytes, spilled.chunk->read());
  std::vector<RedoChange> out;
  Reader in(bytes);
  while (!in.is_at_end() && in.is_good()) out.push_back(decode(in));
  if (in.is_good() && out.size() == spilled.is_undone.size()) return out;
  return make_error(ErrorKind::kInternal, "oracle.spill_damaged",
                    "changes that waited on disk are not what was written",
                    "Look at the disk of the state directory, then start the task again");
}

Result<std::vector<RedoChange>> load(const SpilledChanges& spilled) {
  WHERRY_ASSIGN(std::vector<RedoChange> all, load_all(spilled));
  std::vector<RedoChange> out;
  out.reserve(spilled.left);
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (!spilled.is_undone[i]) out.push_back(std::move(all[i]));
  }
  return out;
}

}  // namespace wherry::oracle
