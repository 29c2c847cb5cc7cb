#include "control/character_settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

namespace wherry::control {
namespace {

using Json = SettingsDocument::Json;

class CharacterReader {
 public:
  explicit CharacterReader(SettingsDocument& document) : document_(document) {}

  std::vector<schema::CharacterReplacement> replacements(const Json& list,
                                                         const std::string& path) {
    std::vector<schema::CharacterReplacement> out;
    for (std::size_t i = 0; i < list.size(); ++i) {
      const std::string here = path + "/" + std::to_string(i);
      if (!list[i].is_object()) {
        document_.add_problem(here, fmt::format("must be an object, not {}", list[i].type_name()));
        continue;
      }
      schema::CharacterReplacement replacement;
      code_point(list[i], here, "SourceCharacterCodePoint", replacement.source);
      code_point(list[i], here, "TargetCharacterCodePoint", replacement.target);
      refuse_others(list[i], here, {"SourceCharacterCodePoint", "TargetCharacterCodePoint"});
      out.push_back(replacement);
    }
    return out;
  }

  schema::CharacterSetRule support(const Json& object, const std::string& path) {
    schema::CharacterSetRule rule;
    const auto name = object.find("CharacterSet");
    if (name == object.end() || !name->is_string() || name->get<std::string>().empty()) {
      document_.add_problem(path + "/CharacterSet", "the name of a character set is missing");
    } else {
      rule.name = name->get<std::string>();
    }
    code_point(object, path, "ReplaceWithCharacterCodePoint", rule.replacement);
    refuse_others(object, path, {"CharacterSet", "ReplaceWithCharacterCodePoint"});
    return rule;
  }

 private:
  void refuse_others(const Json& object, const std::string& path,
                     std::initializer_list<std::string_view> known) {
    for (const auto& [name, value] : object.items()) {
      if (std::find(known.begin(), known.end(), name) == known.end()) {
        document_.add_problem(path + "/" + name, "unknown key");
      }
    }
  }

  /// Hexadecimal digits, also where they are written as a JSON number: 62 is "b".
  void code_point(const Json& object, const std::string& path, const char* name, char32_t& out) {
    const std::string here = path + "/" + name;
    const auto found = object.find(name);
    if (found == object.end()) return document_.add_problem(here, "is missing");
    const std::string digits = found->is_string()
                                   ? found->get<std::string>()
                                   : (found->is_number_unsigned() ? found->dump() : std::string());
    std::uint32_t number = 0;
    const char* const end = digits.data() + digits.size();
    const auto [at, status] = std::from_chars(digits.data(), end, number, 16);
    if (digits.empty() || status != std::errc{} || at != end ||
        !schema::CharacterRules::is_code_point(number)) {
      return document_.add_problem(
          here, fmt::format("{} is not the number of a character in hexadecimal digits, 0 to "
                            "10FFFF without D800 to DFFF",
                            found->dump()));
    }
    out = number;
  }

  SettingsDocument& document_;
};

}  // namespace

std::shared_ptr<const schema::CharacterRules> read_character_settings(SettingsDocument& document) {
  const std::string path = "/CharacterSetSettings";
  const Json* const list = document.sent(path + "/CharacterReplacements");
  const Json* const set = document.sent(path + "/CharacterSetSupport");
  const std::size_t problems_before = document.problems().size();
  CharacterReader reader(document);
  std::vector<schema::CharacterReplacement> replacements;
  std::optional<schema::CharacterSetRule> rule;
  if (list != nullptr && list->is_array()) {
    replacements = reader.replacements(*list, path + "/CharacterReplacements");
  }
  if (set != nullptr && set->is_object())
    rule = reader.support(*set, path + "/CharacterSetSupport");
  const bool is_wrong = document.problems().size() != problems_before;
  if (is_wrong || (replacements.empty() && !rule)) return nullptr;
  auto rules = schema::CharacterRules::make(replacements, rule);
  if (rules.ok()) return *std::move(rules);
  document.add_problem(path + "/CharacterSetSupport",
                       rules.error().message + " (" + rules.error().hint + ")");
  return nullptr;
}

}  // namespace wherry::control
