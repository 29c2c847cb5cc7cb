#include "mapping/json_places.h"

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>

namespace wherry::mapping {
namespace {

bool begins_character(char c) {
  return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
}

/// Counts what the parser has taken, which is the only way to learn where it is.
class CountingIterator {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  CountingIterator(const char* at, std::size_t* taken) : at_(at), taken_(taken) {}
  reference operator*() const { return *at_; }
  CountingIterator& operator++() {
    ++at_;
    ++*taken_;
    return *this;
  }
  CountingIterator operator++(int) {
    CountingIterator before = *this;
    ++*this;
    return before;
  }
  bool operator==(const CountingIterator& other) const { return at_ == other.at_; }
  bool operator!=(const CountingIterator& other) const { return at_ != other.at_; }

 private:
  const char* at_;
  std::size_t* taken_;
};

class PlaceFinder : public nlohmann::json_sax<nlohmann::json> {
 public:
  PlaceFinder(std::string_view text, const std::size_t& taken,
              std::map<std::string, TextPlace, std::less<>>& places,
              std::vector<std::string>& repeated)
      : text_(text), taken_(taken), places_(places), repeated_(repeated) {}

  bool null() override { return value(0); }
  bool boolean(bool /*value*/) override { return value(0); }
  bool number_integer(number_integer_t /*value*/) override { return value(1); }
  bool number_unsigned(number_unsigned_t /*value*/) override { return value(1); }
  bool number_float(number_float_t /*value*/, const string_t& /*text*/) override {
    return value(1);
  }
  bool string(string_t& /*value*/) override { return value(0); }
  bool binary(binary_t& /*value*/) override { return value(0); }
  bool start_object(std::size_t /*size*/) override { return open(false); }
  bool start_array(std::size_t /*size*/) override { return open(true); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }
  bool key(string_t& name) override {
    path_.resize(levels_.back().path_size);
    path_ += "/" + name;
    if (!places_.emplace(path_, begin_of_token()).second) repeated_.push_back(path_);
    end_ = taken_;
    return true;
  }
  bool parse_error(std::size_t /*at*/, const std::string& /*token*/,
                   const nlohmann::json::exception& /*error*/) override {
    return false;
  }

 private:
  struct Level {
    std::size_t path_size;
    bool is_array;
    std::size_t count = 0;
  };

  /// Between tokens are blanks, commas and colons only.
  TextPlace begin_of_token() {
    const std::size_t at = std::min(text_.find_first_not_of(" \t\r\n,:", end_), text_.size());
    for (; counted_ < at; ++counted_) {
      if (text_[counted_] == '\n') {
        ++place_.line;
        place_.column = 1;
      } else if (begins_character(text_[counted_])) {
        ++place_.column;
      }
    }
    return place_;
  }

  /// Of an array the elements are named, of an object its keys were.
  void name_value() {
    if (levels_.empty()) {
      places_.emplace(std::string(), begin_of_token());
    } else if (Level& level = levels_.back(); level.is_array) {
      path_.resize(level.path_size);
      path_ += "/" + std::to_string(level.count++);
      places_.emplace(path_, begin_of_token());
    }
  }

  /// The end of a number is seen by the character behind it.
  bool value(std::size_t seen_ahead) {
    name_value();
    end_ = taken_ - std::min(seen_ahead, taken_);
    return true;
  }
  bool open(bool is_array) {
    name_value();
    levels_.push_back({path_.size(), is_array});
    end_ = taken_;
    return true;
  }
  bool close() {
    path_.resize(levels_.back().path_size);
    levels_.pop_back();
    end_ = taken_;
    return true;
  }

  std::string_view text_;
  const std::size_t& taken_;
  std::map<std::string, TextPlace, std::less<>>& places_;
  std::vector<std::string>& repeated_;
  std::vector<Level> levels_;
  std::string path_;
  std::size_t end_ = 0;      ///< of the token before
  std::size_t counted_ = 0;  ///< the byte that place_ is of
  TextPlace place_;
};

}  // namespace

TextPlace place_of(std::string_view text, std::size_t byte) {
  const std::string_view before = text.substr(0, byte);
  const std::size_t line_end = before.rfind('\n');
  const std::size_t line_begin = line_end == std::string_view::npos ? 0 : line_end + 1;
  TextPlace out;
  out.line += static_cast<std::size_t>(std::count(before.begin(), before.end(), '\n'));
  out.column += static_cast<std::size_t>(std::count_if(
      before.begin() + static_cast<std::ptrdiff_t>(line_begin), before.end(), begins_character));
  return out;
}

JsonPlaces::JsonPlaces(std::string_view text) {
  std::size_t taken = 0;
  PlaceFinder finder(text, taken, places_, repeated_);
  const char* const begin = text.data();
  nlohmann::json::sax_parse(CountingIterator(begin, &taken),
                            CountingIterator(begin + text.size(), &taken), &finder);
}

TextPlace JsonPlaces::find(std::string_view path) const {
  for (;;) {
    if (const auto found = places_.find(path); found != places_.end()) return found->second;
    if (path.empty()) return {};
    path = path.substr(0, path.rfind('/'));
  }
}

}  // namespace wherry::mapping
