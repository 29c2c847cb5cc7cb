// Every key of a DMS task-settings document: what it takes, what it is when nobody says otherwise,
// and why it has no effect here, where it has none. The reader, the expanded document, the
// reference in docs/ and the tests are made from this one table. Source: AWS DMS User Guide,
// "Specifying task settings"; defaults as a new task's description shows them.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace wherry::control {

enum class SettingKind : std::uint8_t {
  kTruth,     ///< true or false
  kNumber,    ///< a whole number from `low` to `high`
  kText,      ///< a text; null is the empty one
  kChoice,    ///< one of `choices`
  kList,      ///< an array, or null
  kDocument,  ///< an object with parts of its own, or null
  kNull,      ///< null only
};

struct Setting {
  std::string_view path;  ///< "/ErrorBehavior/DataErrorPolicy"
  SettingKind kind;
  std::string_view standard;  ///< the default, as JSON
  std::int64_t low = 0, high = 0;
  std::string_view choices = {};  ///< by one blank each
  std::string_view no_effect =
      {};  ///< why a value that is not the default changes nothing; empty: it does
  /// Known from older or returned documents, and left out of the expanded one.
  bool is_legacy = false;
};

/// In the order of a document.
std::span<const Setting> settings_catalogue();
/// Sections that are null unless they are used.
bool is_null_by_default(std::string_view section);
/// nullptr: no such key.
const Setting* find_setting(std::string_view path);

}  // namespace wherry::control
