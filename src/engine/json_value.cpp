#include "engine/json_value.h"

#include <map>
#include <nlohmann/json.hpp>
#include <vector>

#include "core/decimal.h"

namespace wherry::engine {
namespace {

using Json = nlohmann::json;

/// Builds the text bottom up. Numbers keep all their digits: nlohmann gives those that are no
/// 64-bit integer as they are written.
class PlainWriter : public Json::json_sax_t {
 public:
  std::string take() { return std::move(done_); }

  bool null() override { return add("null"); }
  bool boolean(bool value) override { return add(value ? "true" : "false"); }
  bool number_integer(number_integer_t value) override { return add(std::to_string(value)); }
  bool number_unsigned(number_unsigned_t value) override { return add(std::to_string(value)); }
  bool number_float(number_float_t, const string_t& text) override {
    arena_.reset();
    const DecimalView* value = parse_decimal(text, arena_);
    return add(value == nullptr ? text : to_text(*value));
  }
  bool string(string_t& value) override { return add(Json(value).dump()); }
  bool binary(binary_t&) override { return false; }
  bool start_object(std::size_t) override { return open(true); }
  bool start_array(std::size_t) override { return open(false); }
  bool key(string_t& name) override {
    open_.back().name = Json(name).dump();
    return true;
  }
  bool end_object() override {
    std::string text = "{";
    for (const auto& [name, value] : open_.back().members) {
      if (text.size() > 1) text += ',';
      text += name + ":" + value;
    }
    return close(text + "}");
  }
  bool end_array() override { return close(open_.back().items + "]"); }
  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception&) override {
    return false;
  }

 private:
  struct Level {
    bool is_object = false;
    std::string name;
    std::map<std::string, std::string> members;
    std::string items = "[";
  };

  bool open(bool is_object) {
    open_.emplace_back().is_object = is_object;
    return true;
  }
  bool close(std::string text) {
    open_.pop_back();
    return add(std::move(text));
  }
  bool add(std::string value) {
    if (open_.empty()) {
      done_ = std::move(value);
    } else if (open_.back().is_object) {
      open_.back().members[open_.back().name] = std::move(value);
    } else {
      if (open_.back().items.size() > 1) open_.back().items += ',';
      open_.back().items += value;
    }
    return true;
  }

  std::vector<Level> open_;
  std::string done_;
  Arena arena_;
};

}  // namespace

std::optional<std::string> plain_json(std::string_view text) {
  PlainWriter writer;
  try {
    if (!Json::sax_parse(text.begin(), text.end(), &writer)) return std::nullopt;
  } catch (const Json::exception&) {
    return std::nullopt;  // text that is not UTF-8
  }
  return writer.take();
}

}  // namespace wherry::engine
