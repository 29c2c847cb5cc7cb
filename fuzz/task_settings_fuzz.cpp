// Task-settings documents: any text is read or refused with places; what is accepted expands to a
// document that is accepted, means the same and expands to itself.
#include <string_view>

#include "control/settings_document.h"
#include "control/task_settings.h"
#include "input.h"

using wherry::control::SettingsDocument;
using wherry::control::TaskSettings;
using wherry::fuzz::require;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  auto document = SettingsDocument::read(text);
  if (!document.ok()) return 0;
  auto settings = TaskSettings::from(*document);
  require(settings.ok() == document->problems().empty());
  for (const auto& problem : document->problems()) require(problem.place.line > 0);
  if (!settings.ok()) return 0;
  const std::string whole = document->expanded();
  auto again = SettingsDocument::read(whole);
  require(again.ok() && again->problems().empty() && again->expanded() == whole);
  auto same = TaskSettings::from(*again);
  require(same.ok());
  same->characters = settings->characters;  // compared by where they are
  require(*same == *settings);
  return 0;
}
