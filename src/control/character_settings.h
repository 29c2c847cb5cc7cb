// The section CharacterSetSettings of a task-settings document.
#pragma once

#include <memory>

#include "control/settings_document.h"
#include "schema/character_rules.h"

namespace wherry::control {

/// nullptr: nothing is replaced, or something is wrong, which goes to the document's problems.
std::shared_ptr<const schema::CharacterRules> read_character_settings(SettingsDocument& document);

}  // namespace wherry::control
