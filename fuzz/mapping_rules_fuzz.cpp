// Table-mapping documents: any text is parsed or refused with reasons; accepted rules can be asked
// for any name. The bytes behind a zero byte are a table's name, those before it the document.
#include <algorithm>
#include <string>
#include <string_view>

#include "input.h"
#include "mapping/rules.h"

using wherry::fuzz::require;
using wherry::mapping::RuleSet;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view all(reinterpret_cast<const char*>(data), size);
  const std::size_t zero = std::min(all.find('\0'), all.size());
  const std::string_view document = all.substr(0, zero);
  const std::string name(all.substr(std::min(zero + 1, all.size())));
  const auto rules = RuleSet::parse(document);
  require(rules.ok() == RuleSet::check(document).empty());
  if (!rules.ok()) return 0;
  const wherry::schema::TableRef table{"HR", name};
  (void)rules->select(table);
  (void)rules->target_table(table);
  (void)rules->target_column(table, name);
  (void)rules->named_schemas();
  return 0;
}
