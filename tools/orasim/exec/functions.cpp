#include "exec/functions.h"

#include <map>

#include "exec/function_table.h"

namespace orasim {
namespace {

std::map<std::string_view, const ScalarFunction*> make_index() {
  std::map<std::string_view, const ScalarFunction*> index;
  for (const auto table :
       {functions::text_functions(), functions::number_functions(), functions::date_functions(),
        functions::general_functions(), functions::document_functions()}) {
    for (const ScalarFunction& f : table) index.emplace(f.name, &f);
  }
  return index;
}

}  // namespace

const ScalarFunction* find_function(std::string_view name) {
  static const std::map<std::string_view, const ScalarFunction*> index = make_index();
  const auto found = index.find(name);
  return found == index.end() ? nullptr : found->second;
}

}  // namespace orasim
