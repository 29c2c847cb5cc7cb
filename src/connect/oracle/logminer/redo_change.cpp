#include "connect/oracle/logminer/redo_change.h"

#include <algorithm>

namespace wherry::oracle {

OwnedRedoValue::OwnedRedoValue(const RedoValue& value)
    : form(value.form),
      argument_count(value.argument_count),
      text(value.text),
      format(value.format),
      function(value.function),
      hint(value.hint) {}

RedoValue OwnedRedoValue::view() const {
  RedoValue out;
  out.form = form;
  out.argument_count = argument_count;
  out.text = text;
  out.format = format;
  out.function = function;
  out.hint = hint;
  return out;
}

const OwnedRedoValue* find_value(const RedoImage& image, std::string_view column) {
  const auto found = std::find_if(image.begin(), image.end(), [&](const OwnedRedoField& field) {
    return field.column == column;
  });
  return found == image.end() ? nullptr : &found->value;
}

OwnedRedoValue* find_value(RedoImage& image, std::string_view column) {
  return const_cast<OwnedRedoValue*>(find_value(std::as_const(image), column));
}

void set_value(RedoImage& image, std::string_view column, OwnedRedoValue value) {
  if (OwnedRedoValue* const known = find_value(image, column)) {
    *known = std::move(value);
  } else {
    image.push_back({std::string(column), std::move(value)});
  }
}

}  // namespace wherry::oracle
