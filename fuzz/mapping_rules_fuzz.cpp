// Table-mapping documents: any text is parsed or refused with reasons; accepted rules can be asked
// for any name. The bytes behind a zero byte are a table's name, those before it the document.
#include <algorithm>
#include <string>
#include <string_view>

#include "input.h"
#include "mapping/table_rules.h"

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
  const auto of_table = rules->of(table);
  (void)of_table.table().ok();
  wherry::schema::ColumnDef column;
  column.name = name;
  column.type.kind = wherry::schema::TypeKind::kText;
  (void)of_table.column(column).ok();
  (void)rules->named_schemas();
  return 0;
}
